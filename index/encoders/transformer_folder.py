"""The packaged model as a sentence-transformers folder: for training, for a GPU, and as the reference of `onnx`."""

from __future__ import annotations

import json
from pathlib import Path

from pes_search.index.encoders.packaged import PROMPTS, converted_folder
from pes_search.index.encoders.packed_weights import PackedModel, token_vectors


def default_model_folder(cache_dir: Path, adapter: Path | None) -> Path:
    """Return the sentence-transformers folder of the default model, converting it first where it is not there yet.

    `adapter` is the folder of the adapter that is merged into it.

    Raises:
        EncoderError: the packed file is missing or is not the one whose hash is known, or the adapter cannot be used.
    """
    return converted_folder(cache_dir, adapter, "transformers", write_transformers)


def write_transformers(packed: PackedModel, folder: Path) -> None:
    """Write the folder that sentence-transformers opens."""
    from safetensors.numpy import save_file

    weights = packed.weights | {"embeddings.word_embeddings.weight": token_vectors(packed.token_blocks)}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
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
            "vocab_size": len(packed.token_blocks),
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


def _write_tokenizer(packed: PackedModel, folder: Path) -> None:
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
