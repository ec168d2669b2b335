"""A query moves to the passages' language by the languages' distance."""

import numpy as np
import pytest

from pes_search.index.evidence.language_shift import shifted

QUERY = np.array([1.0, 0.0, 0.0], np.float32)
MEANS = {"de": np.array([0.0, 1.0, 0.0], np.float32), "en": np.array([0.0, 0.0, 1.0], np.float32)}


def test_a_query_moves_by_the_difference_of_the_means() -> None:
    vectors = shifted(QUERY, "de", ["en", "de", "fr", None], MEANS.get, 0.5)
    expected = np.array([1.0, -0.5, 0.5]) / np.sqrt(1.5)
    assert vectors["en"].tolist() == pytest.approx(expected.tolist())
    assert np.linalg.norm(vectors["en"]) == pytest.approx(1)
    for language in ("de", "fr", None):  # its own, and languages whose place is not known
        assert vectors[language] is QUERY


@pytest.mark.parametrize(("language", "shift"), [("xx", 0.5), (None, 0.5), ("de", 0.0)])
def test_a_language_that_is_not_known_stays(language: str | None, shift: float) -> None:
    assert shifted(QUERY, language, ["en"], MEANS.get, shift)["en"].tolist() == QUERY.tolist()
