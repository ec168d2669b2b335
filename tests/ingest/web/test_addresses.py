"""One page has one address."""

import pytest

from pes_search.ingest.errors import FetchError
from pes_search.ingest.web.addresses import canonical, file_name


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("HTTPS://WWW.Example.org:443/a/../b/./c?b=2&a=1#part", "https://www.example.org/b/c?a=1&b=2"),
        ("http://example.org", "http://example.org/"),
        ("https://example.org/x?utm_source=mail&utm_campaign=y&id=3&fbclid=1", "https://example.org/x?id=3"),
        ("https://example.org/news/x_en?prefLang=de", "https://example.org/news/x_en"),
        ("https://example.org/x;jsessionid=AB12.node?id=3", "https://example.org/x?id=3"),
        ("https://müller.example/ä b", "https://xn--mller-kva.example/%C3%A4%20b"),
        ("http://example.org:8080/x", "http://example.org:8080/x"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
        ("https://example.org/?abc", "https://example.org/?abc"),
        ("https://example.org/x;b=1?q=%E9&ref=7", "https://example.org/x;b=1?q=%E9&ref=7"),
    ],
)
def test_an_address_has_one_form(written: str, form: str) -> None:
    assert canonical(written) == form
    assert canonical(form) == form


def test_one_item_of_the_commissions_old_site_has_one_address_a_language() -> None:
    base = "https://ec.europa.eu/social/main.jsp"
    same = {
        canonical(f"{base}?catId=89&langId=en&newsId=10602&furtherNews=yes"),
        canonical(f"{base}?langId=en&catId=1163&newsId=10602"),
        canonical(f"{base}?newsId=10602&langId=en&preview=cHJldk"),
    }
    assert same == {f"{base}?langId=en&newsId=10602"}
    assert canonical(f"{base}?catId=89&langId=de&newsId=10602") != same.pop()
    assert canonical(f"{base}?catId=1206&practiceId=7&langId=en") == f"{base}?langId=en&practiceId=7"
    assert canonical(f"{base}?catId=89&langId=en") == f"{base}?catId=89&langId=en"


def test_an_address_is_relative_to_its_page() -> None:
    assert canonical("../b?x=1", "https://example.org/a/c/d") == "https://example.org/a/b?x=1"
    assert canonical("//other.example/b", "https://example.org/a") == "https://other.example/b"


@pytest.mark.parametrize(
    "written",
    [
        "",
        "ftp://example.org/x",
        "file:///etc/passwd",
        "mailto:a@b.c",
        "http://",
        "https://user:secret@example.org/",
        "http://[::1",
    ],
)
def test_what_is_no_address_of_a_page_is_refused(written: str) -> None:
    with pytest.raises(FetchError):
        canonical(written)


def test_file_names_tell_their_page_and_differ() -> None:
    first, second = (file_name(f"https://example.org/news/more-jobs_en?page={page}", ".html") for page in (1, 2))
    assert first.startswith("example.org/more-jobs-en-page-1-")
    assert first.endswith(".html")
    assert first != second
    assert file_name("https://example.org:81/../../etc/passwd", ".html").count("/") == 1
