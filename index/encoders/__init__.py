"""Texts become vectors.

To add an encoder: a module here and a line in `ENCODERS`; the contract test runs over that table, and `runtime` in the settings
takes the name.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from threadpoolctl import threadpool_limits

from pes_search.index.encoders.base import Encoder, EncoderConfig
from pes_search.ingest.parts import Part, Parts

ENCODERS: Parts[Callable[[EncoderConfig, Path], Encoder], Part] = Parts(
    "encoder",
    {
        "onnx": Part("pes_search.index.encoders.onnx:load_onnx"),
        "sentence-transformers": Part("pes_search.index.encoders.sentence_transformer:load_sentence_transformer", "models"),
    },
)


def load_encoder(config: EncoderConfig, cache_dir: Path) -> Encoder:
    """Load the configured encoder; the packaged model is converted first where that has not been done.

    Raises:
        MissingPartError: no encoder has the name, or what it needs is not installed.
        EncoderError: the model cannot be converted, found or loaded.
    """
    encoder = ENCODERS.load(config.chosen_runtime())(config, cache_dir)
    # numpy's threads wait by spinning and take the cores from the encoder's: a search took twice as long with them.
    threadpool_limits(limits=1, user_api="blas")
    return encoder
