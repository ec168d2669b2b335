"""The packaged model's folder."""

from pathlib import Path

import pytest

from pes_search.index.encoders.adapter import adapter_folder
from pes_search.index.encoders.base import PACKAGED_ADAPTER, Encoder
from pes_search.index.encoders.onnx import KIND
from pes_search.index.encoders.packaged import converted_folder
from pes_search.service.settings import Settings


@pytest.fixture(scope="session")
def folder(encoder: Encoder) -> Path:
    """The folder that the encoder was opened from."""

    def refuse(*_: object) -> None:
        raise AssertionError("the encoder has been converted by now")

    return converted_folder(Settings().cache_dir, adapter_folder(PACKAGED_ADAPTER), KIND, refuse)
