"""Addresses are known in all their forms."""

import pytest

from pes_search.index.text.addresses import address_key, addresses_in


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("https://www.pes.example.org/a/B/", "pes.example.org/a/b"),
        ("http://pes.example.org:80/a/b#part", "pes.example.org/a/b"),
        ("https://pes.example.org/a/index.html", "pes.example.org/a"),
        ("https://pes.example.org/a.html", "pes.example.org/a"),
        ("https://pes.example.org/a?utm_source=x&id=3&lang=en", "pes.example.org/a?id=3&lang=en"),
        ("https://pes.example.org/a?lang=en&id=3", "pes.example.org/a?id=3&lang=en"),
        ("https://dx.doi.org/10.2806/1", "doi.org/10.2806/1"),
        ("https://pes.example.org/caf%C3%A9", "pes.example.org/café"),
        ("https://pes.example.org/?newsId=1", "pes.example.org/?newsid=1"),
        ("https://ec.example.org/social/main.jsp?catId=89&newsId=5&furtherNews=yes", "ec.example.org/social/main.jsp?newsid=5"),
        ("https://pes.example.org/", ""),  # a whole site
        ("https://pes.example.org/index.html", ""),
        ("ftp://pes.example.org/a", ""),
        ("http://[", ""),
        ("a.html", ""),
    ],
)
def test_all_forms_of_an_address_have_one_key(address: str, key: str) -> None:
    assert address_key(address) == key


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("See https://a.example.org/b.", "https://a.example.org/b"),
        ("(see www.example.org/b)", "https://www.example.org/b"),
        ("at https://a.example.org/b_(c), which", "https://a.example.org/b_(c)"),
        ("“https://a.example.org/b”", "https://a.example.org/b"),
        ("DOI 10.2806/12345;", "https://doi.org/10.2806/12345"),
    ],
)
def test_an_address_ends_where_its_sentence_goes_on(text: str, address: str) -> None:
    ((found, start, end),) = addresses_in(text)
    assert found == address
    assert address.removeprefix("https://").removeprefix("doi.org/") in text[start : end + 1]
