"""Acronyms and former names are written out; other words are left alone."""

import pytest

from pes_search.index.query.expansion import Expander, Expansion, Wording
from pes_search.ingest.taxonomy import NO_TAXONOMY, Concept, EarlierName, Taxonomy


def of_no_field(_: str) -> bool:
    return False


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
    assert Expander(TAXONOMY, "en", of_no_field).wording(query).written_out == expanded


def test_what_was_added_is_told_in_the_collections_language() -> None:
    wording = Expander(TAXONOMY, "es", of_no_field).wording("INEM")
    assert (wording.written_out, wording.expansions) == ("INEM (SEPE)", (Expansion("INEM", "SEPE"),))


def test_without_lists_nothing_is_added() -> None:
    assert Expander(NO_TAXONOMY, "en", of_no_field).wording("LTU") == Wording("LTU", "LTU", ())


FIELD = Taxonomy(
    {
        "acronyms": {
            "pes": Concept(
                id="pes",
                names_field=True,
                short={"en": ["PES"], "de": ["ÖAV"]},
                terms={"en": ["public employment service"], "de": ["öffentliche Arbeitsverwaltung"]},
                plain={"en": ["good practice"]},
            ),
            **TAXONOMY.lists["acronyms"],
        }
    }
)


@pytest.mark.parametrize(
    ("query", "plain"),
    [
        ("How do PES reach women?", "How do reach women?"),
        ("ÖAV und Frauen", "und Frauen"),
        ("Public employment services for women", "for women"),
        ("good practices: women", ": women"),
        ("öffentliche Arbeitsverwaltungen für Frauen", "für Frauen"),
        ("PES", "PES"),  # there is nothing else to search
        ("opes and PESTO", "opes and PESTO"),
    ],
)
def test_names_of_the_collections_own_field_are_left_out(query: str, plain: str) -> None:
    assert Expander(FIELD, "en", lambda _: True).wording(query).written_out == plain


def test_in_a_collection_of_another_field_they_are_written_out() -> None:
    wording = Expander(FIELD, "en", lambda _: False).wording("PES and women")
    assert wording.written_out == "PES and women (public employment service)"


@pytest.mark.parametrize(
    ("query", "plain"),
    [
        ("HELP FOR LTU NOW", "help for LTU now"),
        ("LTU NEET", "LTU NEET"),  # two words may be names
        ("Help for LTU NOW", "Help for LTU NOW"),
        ("ΓΥΝΑΙΚΕΣ ΧΩΡΙΣ ΕΡΓΑΣΙΑ", "γυναικες χωρις εργασια"),
    ],
)
def test_a_query_in_capitals_is_read_in_lower_case(query: str, plain: str) -> None:
    assert Expander(TAXONOMY, "en", of_no_field).wording(query).plain == plain
