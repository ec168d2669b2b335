"""Acronyms and former names are written out; other words are left alone."""

import pytest

from pes_search.index.query.expansion import Expander, Expansion
from pes_search.ingest.taxonomy import NO_TAXONOMY, Concept, EarlierName, Taxonomy

TAXONOMY = Taxonomy(
    {
        "acronyms": {"ltu": Concept(id="ltu", short={"en": ["LTU"], "de": ["LZA"]}, terms={"en": ["long-term unemployment"]})},
        "organisations": {
            "sepe": Concept(id="sepe", earlier=[EarlierName(name="INEM")], terms={"en": ["Spanish PES"], "es": ["SEPE"]})
        },
    }
)


@pytest.mark.parametrize(
    ("query", "expanded"),
    [
        ("LTU in rural areas", "LTU in rural areas (long-term unemployment)"),
        ("Hilfe für LZA, und INEM", "Hilfe für LZA, und INEM (long-term unemployment; Spanish PES)"),
        ("LTU (long-term unemployment)", "LTU (long-term unemployment)"),
        ("mit einem Gutschein", "mit einem Gutschein"),
        ("the ltu of INEMs", "the ltu of INEMs"),
        ("", ""),
    ],
)
def test_names_are_written_out(query: str, expanded: str) -> None:
    assert Expander(TAXONOMY, "en").expand(query)[0] == expanded


def test_what_was_added_is_told_in_the_collections_language() -> None:
    text, expansions = Expander(TAXONOMY, "es").expand("INEM")
    assert (text, expansions) == ("INEM (SEPE)", (Expansion("INEM", "SEPE"),))


def test_without_lists_nothing_is_added() -> None:
    assert Expander(NO_TAXONOMY, "en").expand("LTU") == ("LTU", ())
