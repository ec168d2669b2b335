"""The settings of an encoder."""

import pytest

from pes_search.index.encoders.base import EncoderConfig


@pytest.mark.parametrize("values", [{"threads": 0}, {"batch_size": 0}])
def test_impossible_settings_are_refused(values: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        EncoderConfig(**values)
