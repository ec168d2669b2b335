"""Words become terms in the text's own language."""

import pytest

from pes_search.index.text.tokens import term_spans, terms


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Women returning; WOMEN!", "en", ["women", "return", "women"]),
        ("die Arbeitslosen und Arbeitslose", "de", ["die", "arbeitslos", "und", "arbeitslos"]),
        ("l'emploi des jeunes", "fr", ["l", "emploi", "de", "jeun"]),
        ("power_m, CLAIM/CNAIM 2019", None, ["power", "m", "claim", "cnaim", "2019"]),
        ("Straße STRASSE", None, ["strasse", "strasse"]),
        ("ﬁnance", None, ["finance"]),
        ("हिन्दी में", None, ["हिन्दी", "में"]),  # vowel signs stay with their letters
        ("失业者", None, ["失业", "业者"]),
        ("業", None, ["業"]),
        ("PES失业者2024", None, ["pes", "失业", "业者", "2024"]),
        ("", "en", []),
        ("… – !", "en", []),
    ],
)
def test_terms(text: str, language: str | None, expected: list[str]) -> None:
    assert terms(text, language) == expected


def test_a_language_without_a_stemmer_keeps_whole_words() -> None:
    assert terms("bezdarbnieki", "lv") == ["bezdarbnieki"]


@pytest.mark.parametrize("text", ["Jobs für Ältere: 50+", "失业者 und PES", "Τα οφέλη της εργασίας", "e\u0301cole libre"])
def test_spans_point_at_their_words(text: str) -> None:
    spans = list(term_spans(text, None))
    assert [end > start for start, end, _ in spans] == [True] * len(spans)
    # Without a stemmer a term is its own word, normalised.
    assert [terms(text[start:end], None)[0] for start, end, _ in spans] == [term for _, _, term in spans]
