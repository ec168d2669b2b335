"""Documents that cite, update or continue each other are found by addresses, names, titles and what titles tell of a series."""

import pytest

from pes_search.index.copy_groups import Copies
from pes_search.index.relations import RelationFinder, RelationTo, StatedRelations
from pes_search.index.types import CopyGroup, RelationRow
from pes_search.ingest.types import Document, Link, Page

BUS = "Mobile Offices for Villages in Styria"
SITE = "https://pes.example.org/practices"


def document(name: str, title: str, text: str = "", **fields: object) -> tuple[Document, Page]:
    values: dict[str, object] = {
        "kind": "practice",
        "language": "en",
        "sha256": name,
        "path": f"site/practices/{name}.html",
        "url": f"{SITE}/{name}.html",
        **fields,
    }
    page = Page(name, None, f"{title}\n\n{text}", ((0, len(title), 1),))
    return Document(id=name, title=title, **values), page  # type: ignore[arg-type]


def rows(*documents: tuple[Document, Page], copies: list[CopyGroup] | None = None) -> list[RelationRow]:
    finder = RelationFinder()
    for one, page in documents:
        finder.add(one, [page])
    found = finder.rows(Copies(copies or []))
    finder.close()
    return found


def told(text: str, **fields: object) -> list[RelationRow]:
    """What a document of this text says of the one about the bus."""
    return rows(document("bus", BUS), document("news", "Three practices of the year", text, **fields))


# ── Addresses ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "target",
    [
        "https://pes.example.org/practices/bus.html",
        "http://www.pes.example.org/practices/bus/",
        "HTTPS://PES.example.org/Practices/bus.html?utm_source=mail#costs",
        "bus.html",
        "../practices/bus.html#costs",
        "//pes.example.org/practices/bus.html",
    ],
)
def test_a_link_to_an_address_or_a_path_is_a_citation_with_its_sentence(target: str) -> None:
    assert told("It is cold. The bus of Styria stops in villages. It is free.", links=(Link(target, "bus of Styria"),)) == [
        ("news", "bus", "cites", "address", "The bus of Styria stops in villages.")
    ]


def test_an_address_that_is_written_out_is_a_citation() -> None:
    sentence = "More (https://www.pes.example.org/practices/bus.html)."
    assert told(f"They drive. {sentence}") == [("news", "bus", "cites", "address", sentence)]


def test_a_file_of_the_same_name_is_the_one_that_an_address_elsewhere_names() -> None:
    report = document("report", "Report", path="files/ef0847en5.pdf", url=None)
    one = document("news", "News", links=(Link("https://elsewhere.example.org/2008/EF0847EN5.pdf", "the report"),))
    assert rows(report, one) == [("news", "report", "cites", "address", "the report")]
    common = document("report", "Report", path="files/report.pdf", url=None)
    other = document("news", "News", links=(Link("https://elsewhere.example.org/2008/report.pdf", "the report"),))
    assert rows(common, other) == []


def test_a_doi_is_an_address() -> None:
    study = document("study", "A study", url="https://doi.org/10.2806/12345")
    assert rows(study, document("news", "News", "Novak (2020), doi: 10.2806/12345.")) == [
        ("news", "study", "cites", "address", "Novak (2020), doi: 10.2806/12345.")
    ]


def test_a_link_of_a_list_see_also_is_no_citation() -> None:
    assert told("Text.", links=(Link("bus.html", "Buses", is_aside=True),)) == [("news", "bus", "see_also", "address", "Buses")]


def test_a_page_that_links_to_itself_or_to_a_whole_site_has_no_relation() -> None:
    itself = document("bus", BUS, f"Cite as {SITE}/bus.html", links=(Link("bus.html#costs", "Costs"), Link("#top", "Top")))
    home = document("home", "Employment service", url="https://pes.example.org/")
    assert rows(itself, home, document("news", "News", "See www.pes.example.org")) == []


def test_an_address_of_several_documents_is_none_of_them() -> None:
    rows_of_a_list = [document(name, f"Practice {name}", url=f"{SITE}/list.xlsx", path=f"list.xlsx#{name}") for name in "ab"]
    assert rows(*rows_of_a_list, document("news", "News", f"See {SITE}/list.xlsx")) == []


def test_what_nearly_every_page_links_to_is_the_frame_of_a_site() -> None:
    pages = [document(f"p{number}", f"Page {number}", links=(Link("bus.html", "Buses"),)) for number in range(11)]
    assert rows(document("bus", BUS), *pages) == []
    assert len(rows(document("bus", BUS), *pages[:10])) == 10


# ── Titles ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "sentence",
    [
        f"A bus is told of in “{BUS}”.",
        f"Novak (2021), {BUS}, Graz.",
        "MOBILE OFFICES FOR VILLAGES IN STYRIA",
    ],
)
def test_the_full_title_in_the_text_is_a_citation(sentence: str) -> None:
    assert told(f"They drive.\n\n{sentence}") == [("news", "bus", "cites", "title", sentence)]


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Vouchers", "Vouchers are for parents. “Vouchers” are new."),  # one word
        ("Annual report", "The “Annual report” is out."),  # two words
        ("Support for older workers", "There is support for older workers."),  # a phrase
        ("Support for older workers", "Support for older workers is rare."),  # at the start of a sentence
        (BUS, "There are mobile offices for villages in Styria."),
    ],
)
def test_words_that_may_be_a_phrase_are_no_title(title: str, text: str) -> None:
    assert rows(document("one", title), document("news", "Three practices of the year", text)) == []


def test_a_phrase_in_quotation_marks_is_a_title() -> None:
    news = document("news", "Three practices of the year", "Read “Support for older workers”.")
    assert rows(document("one", "Support for older workers"), news) == [
        ("news", "one", "cites", "title", "Read “Support for older workers”.")
    ]


def test_an_abbreviation_in_brackets_makes_a_phrase_a_title() -> None:
    sentence = "Firms pay into the personal training account (CPF) too."
    news = document("news", "Three practices of the year", sentence)
    assert rows(document("cpf", "Personal training account (CPF)"), news) == [("news", "cpf", "cites", "title", sentence)]


def test_the_title_of_two_documents_and_ones_own_title_name_none() -> None:
    news = document("news", "Three practices of the year", f"See “{BUS}”.")
    assert rows(document("bus", BUS), document("other", BUS), news) == []
    assert rows(document("bus", BUS, f"This is “{BUS}”.")) == []


def test_a_title_within_a_longer_one_is_not_named() -> None:
    longer = document("guide", f"Guide to {BUS}")
    news = document("news", "Three practices of the year", f"See “Guide to {BUS}”.")
    assert [row[:2] for row in rows(document("bus", BUS), longer, news)] == [("news", "guide")]


def test_copies_cite_nothing_of_each_other_and_stand_for_one() -> None:
    copy = document("copy", BUS, f"See {SITE}/bus.html")
    news = document("news", "Three practices of the year", f"See “{BUS}”.")
    found = rows(document("bus", BUS), copy, news, copies=[[("bus", "en"), ("copy", "en")]])
    assert found == [("news", "bus", "cites", "title", f"See “{BUS}”.")]


# ── Kinds ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("words", "language", "kind"),
    [
        ("This is an update of", "en", "updates"),
        ("This report replaces", "en", "updates"),
        ("Previous version:", "en", "updates"),
        ("It is a follow-up to", "en", "continues"),
        ("See also:", "en", "see_also"),
        ("Dieser Bericht ist eine Aktualisierung von", "de", "updates"),
        ("Dies ist die Fortsetzung von", "de", "continues"),
        ("Siehe auch:", "de", "see_also"),
        ("Ce rapport est une mise à jour de", "fr", "updates"),
        ("Ce rapport fait suite à", "fr", "continues"),
        ("Este informe sustituye a", "es", "updates"),
        ("Es la continuación de", "es", "continues"),
        ("Aggiornamento di", "it", "updates"),
        ("Seguito di", "it", "continues"),
        ("Ten raport zastępuje", "pl", "updates"),
        ("Zobacz też:", "pl", "see_also"),
        ("It updates much. Among many others there is also", "en", "cites"),  # another sentence
    ],
)
def test_words_before_a_name_tell_the_kind(words: str, language: str, kind: str) -> None:
    assert [row[:3] for row in told(f"{words} “{BUS}”.", language=language)] == [("news", "bus", kind)]


@pytest.mark.parametrize(
    ("words", "language", "kind"),
    [("It was replaced by", "en", "updates"), ("Ersetzt durch", "de", "updates"), ("Continued in", "en", "continues")],
)
def test_a_document_that_names_what_follows_it_is_what_the_other_updates(words: str, language: str, kind: str) -> None:
    assert [row[:3] for row in told(f"{words} “{BUS}”.", language=language)] == [("bus", "news", kind)]


def test_below_a_heading_see_also_nothing_is_cited() -> None:
    text = f"{BUS} is read about here"
    one, _ = document("news", "News")
    page = Page("news", None, f"News\n\nFurther reading\n\n{text}", ((0, 4, 1), (6, 21, 2)))
    assert rows(document("bus", BUS), (one, page)) == [("news", "bus", "see_also", "title", text)]


def test_an_older_document_updates_none_and_two_do_not_update_each_other() -> None:
    assert rows(
        document("bus", BUS, date="2022-01-01"),
        document("news", "News of the year", f"It replaces “{BUS}”.", date="2020-01-01"),
    ) == [("news", "bus", "cites", "title", f"It replaces “{BUS}”.")]
    one = document("a", "Vouchers for Parents in Carinthia", f"It replaces “{BUS}”.")
    other = document("b", BUS, "It replaces “Vouchers for Parents in Carinthia”.")
    assert [row[2] for row in rows(one, other)] == ["cites", "cites"]


def test_metadata_name_what_else_there_is_to_read_and_a_sentence_says_more() -> None:
    assert told("Text.", related=("bus", "unknown", "news")) == [("news", "bus", "see_also", "metadata", "")]
    assert [row[2:4] for row in told(f"See “{BUS}”.", related=("bus",))] == [("cites", "title")]


# ── Series ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("titles", "language", "found"),
    [
        (("Guide to mobile offices", "Guide to mobile offices, second edition"), "en", [("1", "0", "updates")]),
        (
            ("Report on training vouchers 2019", "Report on training vouchers 2021", "Report on training vouchers 2020"),
            "en",
            [("1", "2", "updates"), ("2", "0", "updates")],
        ),
        (("Leitfaden für mobile Büros", "Leitfaden für mobile Büros, 2. Auflage"), "de", [("1", "0", "updates")]),
        (("Guide to mobile offices (1/2)", "Guide to mobile offices (2/2)"), "en", [("1", "0", "continues")]),
        (("Bus und Beratung, Teil 1", "Bus und Beratung, Teil 2"), "de", [("1", "0", "continues")]),
        (("Guide to mobile offices, part I", "Guide to mobile offices, part III"), "en", []),
        (("Annual report 2019", "Annual report 2020"), "en", []),  # too common a title
        (("Guide to mobile offices", "Guide to mobile offices"), "en", []),
    ],
)
def test_titles_of_a_series_tell_editions_and_parts(
    titles: tuple[str, ...], language: str, found: list[tuple[str, str, str]]
) -> None:
    documents = [document(str(number), title, language=language) for number, title in enumerate(titles)]
    assert [tuple(row[:3]) for row in rows(*documents)] == found


def test_a_series_is_of_one_organisation() -> None:
    one = document("a", "Report on training vouchers 2019", organisation="AMS")
    assert rows(one, document("b", "Report on training vouchers 2020", organisation="VDAB")) == []


# ── Looking up ──────────────────────────────────────────────────────────────────────────────────────────────────────

CHAIN: list[RelationRow] = [
    ("c", "b", "updates", "series", ""),
    ("b", "a", "updates", "series", ""),
    ("news", "a", "cites", "title", "So says a."),
    ("news", "a-copy", "see_also", "metadata", ""),
]


def test_relations_are_shown_on_both_and_copies_have_them_in_common() -> None:
    stated = StatedRelations(CHAIN, Copies([[("a", "en"), ("a-copy", "en")]]))
    assert stated.of("news") == [RelationTo("cites", False, "a", "title", "So says a.")]
    both = [
        RelationTo("updates", True, "b", "series", ""),
        RelationTo("cites", True, "news", "title", "So says a."),
    ]
    assert stated.of("a") == stated.of("a-copy") == both
    assert stated.of("unknown") == []


def test_the_newest_version_is_the_last_of_a_chain() -> None:
    stated = StatedRelations(CHAIN, Copies([]))
    assert [stated.newest(one) for one in ("a", "b", "c", "news")] == ["c", "c", None, None]


def test_versions_in_a_circle_have_an_end() -> None:
    circle: list[RelationRow] = [("a", "b", "updates", "title", ""), ("b", "c", "updates", "title", ""),
                                 ("c", "a", "updates", "title", "")]  # fmt: skip
    assert StatedRelations(circle, Copies([])).newest("a") == "b"
