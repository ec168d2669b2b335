"""Clean text."""

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pes_search.ingest.cleaning.text import clean_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  two\n lines\tand\u00a0spaces ", "two lines and spaces"),
        ("Arbeits\u00admarkt", "Arbeitsmarkt"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("\u202bright to left\u202c", "right to left"),
        ("e\u0301te\u0301", "été"),
        ("o\ufb03ce, \ufb01nd", "office, find"),
        ("\ue0b1 phone \uf095", "phone"),
        ("half \ud83d of a character", "half of a character"),
        ("a word , another .", "a word, another."),
        ("version .5 of 3 ,5", "version .5 of 3 ,5"),  # decimals keep their space
        ("", ""),
        ("\u00ad\n\u200b", ""),
        ("می\u200cخواهم", "می\u200cخواهم"),  # the joiner changes how Persian is read
    ],
)
def test_clean_text_has_single_spaces_and_no_invisible_characters(text: str, expected: str) -> None:
    assert clean_text(text) == expected


@settings(deadline=None, derandomize=True, database=None, max_examples=300)
@given(
    st.text(alphabet=st.one_of(st.sampled_from("ae \n,.\u0301\u0308\u00ad\u200b\ufb01\u212b"), st.characters()), max_size=30)
)
@example("e\u200b\u0301")
def test_clean_text_is_in_unicode_nfc_and_cleaning_it_again_changes_nothing(text: str) -> None:
    cleaned = clean_text(text)
    assert unicodedata.is_normalized("NFC", cleaned)
    assert clean_text(cleaned) == cleaned
    assert cleaned.split() == cleaned.split(" ") or cleaned == ""
