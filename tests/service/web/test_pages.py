"""The web pages: what a person sees and follows without a script, markup from outside as text, one generation a page."""

import re
from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from folders import CORPUS
from kept import kept_in
from starlette.testclient import TestClient

from pes_search.index.build import BuildReport
from pes_search.index.encoders.base import Encoder
from pes_search.index.filters import EVERYTHING
from pes_search.ingest.passages import is_imagined
from pes_search.service.api.app import create_app
from pes_search.service.engine import Engine
from pes_search.service.settings import Settings

Build = Callable[[Sequence[str | Path], Path], BuildReport]
Attributes = dict[str, str | None]

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
VOID = {"link", "meta", "input", "br", "hr", "img"}


class Html(HTMLParser):
    """A page as a browser without scripts sees it: elements with their attributes, and the text inside them."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, Attributes]] = []
        self.texts: list[str] = []  # text i is that of element i, with all that stands inside it
        self._open: list[int] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.texts.append("")
        if tag not in VOID:
            self._open.append(len(self.elements) - 1)

    def handle_endtag(self, tag: str) -> None:
        assert self.elements[self._open.pop()][0] == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        for i in self._open:
            self.texts[i] += data

    def all(self, tag: str, **attributes: str) -> list[tuple[Attributes, str]]:
        """Return attributes and text of every such element."""
        return [
            (values, " ".join(text.split()))
            for (name, values), text in zip(self.elements, self.texts, strict=True)
            if name == tag and all(values.get(key.rstrip("_")) == value for key, value in attributes.items())
        ]

    def text(self) -> str:
        """Return all that a visitor sees."""
        [(_, text)] = self.all("body")
        return text


def get(client: TestClient, path: str, status: int = 200, **parameters: Any) -> Html:
    response = client.get(path, params=parameters or None, headers=BROWSER)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    return Html(response.text)


def hits(page: Html) -> list[str]:
    return [text for _, text in page.all("h3") if text != "Sources"]


# ── Searching without a script ──────────────────────────────────────────────────────────────────────────────────────


def test_the_first_page_asks_for_a_query(client: TestClient, engine: Engine) -> None:
    page = get(client, "/")
    [(form, _)] = page.all("form", role="search")
    assert (form["action"], form["method"]) == ("/", "get")
    [(box, _)] = page.all("input", name="q")
    assert box["value"] == ""
    assert page.all("label", for_=str(box["id"]))  # a screen reader names it
    assert page.all("button", type="submit")
    assert f"Ask {engine.index().manifest.documents} write-ups" in page.text()
    assert page.all("html", lang="en")


def test_a_result_shows_title_country_passage_and_links(client: TestClient) -> None:
    page = get(client, "/", q="average break of the women in power_m")
    title = "power_m – return to work after a family break"
    assert hits(page)[0] == title
    assert 1 <= len(hits(page)) <= 10
    assert "further documents" in page.text()
    assert page.all("p", class_="facts")[0][1] == "Germany · 2009 · Practice · English Evidence: monitoring figures"
    marked = {text for _, text in page.all("mark")}
    assert {"average", "break", "women"} <= marked
    assert not {"of", "the", "in"} & marked
    passage = page.all("blockquote")[0]
    assert "In 2019 the average break of the women in power_m was given as 7 years" in passage[1]
    assert passage[0]["lang"] == "en"
    assert "https://www.power-m.net/ueber-power-m/finanzierung/" in {link["href"] for link, _ in page.all("a")}


def test_a_result_leads_to_its_passage_in_the_document(client: TestClient) -> None:
    page = get(client, "/", q="average break of the women in power_m")
    link = next(str(link["href"]) for link, text in page.all("a") if str(link["href"]).startswith("/documents/de-power-m"))
    parts = urlsplit(link)
    assert parts.path == "/documents/de-power-m"
    document = get(client, parts.path)
    [(_, section)] = document.all("section", id=unquote(parts.fragment))
    assert "the average break of the women in power_m was given as 7 years" in section


def test_every_link_of_the_service_leads_somewhere(client: TestClient) -> None:
    page = get(client, "/", q="youth outreach", country="BE")
    links = {str(link["href"]) for link, _ in page.all("a")} | {str(link["href"]) for link, _ in page.all("link")}
    addresses = {link.partition("#")[0] for link in links if link.startswith("/")}
    assert {"/", "/map", "/desk", "/about", "/openapi.json"} <= addresses
    assert any(link.startswith("/static/style.css?v=") for link in addresses)
    for link in addresses:
        assert client.get(link).status_code == 200, link


def test_the_page_remembers_query_and_filters(client: TestClient, corpus_files: dict[str, dict[str, Any]]) -> None:
    page = get(client, "/", q="mothers & 'fathers'", country="DE", year_from="2009", year_to="")
    [(box, _)] = page.all("input", name="q")
    assert box["value"] == "mothers & 'fathers'"
    german = sum("DE" in file["countries"] and file.get("end", 9999) >= 2009 for file in corpus_files.values())
    assert [box["value"] for box, _ in page.all("input", name="country") if "checked" in box] == ["DE"]
    labels = [text for _, text in page.all("label") if text.startswith("Germany")]
    assert labels == [f"Germany {german}"]
    assert [option["value"] for option, _ in page.all("option") if "selected" in option] == ["en", "2009"]
    [(chips, _)] = page.all("ul", class_="chips")
    assert chips["aria-label"] == "Filters in use"
    assert [text for _, text in page.all("li") if "✕" in text] == ["Remove: Germany ✕", "Remove: From year 2009 ✕"]


def test_a_label_of_several_terms_stays_chosen_as_it_is(client: TestClient) -> None:
    page = get(client, "/", q="outreach", channel="street and community outreach")
    [chosen] = [box["value"] for box, _ in page.all("input", name="channel") if "checked" in box]
    assert chosen == "street and community outreach"
    assert len(hits(page)) > 0


@pytest.mark.parametrize(
    ("name", "value", "title"),
    [
        ("country", "IS", "Job support for young people with mental-health problems"),
        ("target_group", "rural-youth", "INTESPO – registering young NEETs with the PES"),
        ("target_group", "rural youth", "INTESPO – registering young NEETs with the PES"),
        ("measure_type", "hidden-job-market", "La Bonne Boîte – firms likely to hire"),
        ("channel", "online-shop", "Course e-shop “Jsem v kurzu”"),
        ("year_to", "1990", "Support for starting a business"),
    ],
)
def test_a_filter_restricts_the_results(client: TestClient, name: str, value: str, title: str) -> None:
    # A form sends all its fields, those left open as empty values.
    fields = dict.fromkeys(
        ("country", "kind", "language", "target_group", "measure_type", "channel", "evidence", "year_from", "year_to"), ""
    )
    assert hits(get(client, "/", **{"q": "outreach", **fields, name: value, "all": "true"})) == [title]


def test_what_a_question_is_about_narrows_the_results(client: TestClient) -> None:
    page = get(client, "/", q="Leute, die gerade aus dem Gefängnis entlassen wurden")
    [(link, label)] = [
        (str(attributes["href"]), text)
        for attributes, text in page.all("a")
        if "target_group=ex-offenders" in str(attributes["href"])
    ]
    count = int(label.rpartition("(")[2].removesuffix(")"))
    narrowed = get(client, link)
    assert f"of {count} documents" in narrowed.text()
    # Once a target group is chosen, no other one is suggested.
    suggested = [str(attributes["href"]) for attributes, text in narrowed.all("a") if re.search(r"\(\d+\)$", text)]
    assert all(href.count("target_group=") == 1 for href in suggested)


def test_an_acronym_is_written_out_and_said_to_be(client: TestClient) -> None:
    page = get(client, "/", q="NEET outreach")
    (first, *_) = [text for _, text in page.all("p", class_="hint")]
    assert first == "Also searched: NEET as “not in employment, education or training”"


def test_one_can_page_through_all_documents_and_back(client: TestClient) -> None:
    link: str | None = "/?q=training&kind=practice&all=true"
    pages: list[list[str]] = []
    while link:
        page = get(client, link)
        pages.append(hits(page))
        link = next((str(attributes["href"]) for attributes, _ in page.all("a", rel="next")), None)
    practices = len(list((CORPUS / "practices").glob("*.md")))
    assert len(pages) == -(-practices // 10)  # rounded up
    assert len({title for titles in pages for title in titles}) == practices
    [(back, _)] = page.all("a", rel="prev")
    assert hits(get(client, str(back["href"]))) == pages[-2]


def test_an_empty_result_says_why_and_how_to_go_on(client: TestClient) -> None:
    page = get(client, "/", q="mothers", country="MT", year_to="1900")
    assert hits(page) == []
    assert "No document passes these filters" in page.text()
    [(link, _)] = [anchor for anchor in page.all("a") if anchor[1] == "Search without filters"]
    assert link["href"] == "/?q=mothers"


def test_a_filter_that_nobody_knows_is_told_with_the_nearest(client: TestClient) -> None:
    assert "did you mean AT (Österreich)" in get(client, "/?q=mothers&country=Osterreich", status=422).text()


def test_where_nothing_matches_the_nearest_are_one_click_away(client: TestClient) -> None:
    page = get(client, "/", q="how do I cook rice")
    assert hits(page) == []
    assert "Nothing in the collection matches this." in page.text()
    [(link, _)] = [anchor for anchor in page.all("a") if anchor[1].startswith("Show what comes nearest")]
    assert len(hits(get(client, str(link["href"])))) == 10


def test_a_phrase_that_no_document_has_is_said_to_be_absent(client: TestClient) -> None:
    page = get(client, "/", q='women "carving job"')
    assert hits(page) == []
    assert "No document has “carving job” as written." in page.text()
    [(link, _)] = [anchor for anchor in page.all("a") if anchor[1] == "Search its words"]
    assert hits(get(client, str(link["href"])))


def test_spelling_that_was_put_right_has_a_way_back(client: TestClient) -> None:
    page = get(client, "/", q="kozmunka kepzes")
    assert "Shown are results for “közmunka képzés”." in page.text()
    [(link, _)] = [anchor for anchor in page.all("a") if anchor[1].endswith("as typed")]
    assert "Shown are results for" not in get(client, str(link["href"])).text()


def test_a_page_past_the_end_says_so(client: TestClient) -> None:
    page = get(client, "/", q="mothers", offset=500)
    assert hits(page) == []
    assert "There are no further results." in page.text()


@pytest.mark.parametrize("q", ["", "   "])
def test_no_query_is_no_fault(client: TestClient, q: str) -> None:
    page = get(client, "/", q=q)
    assert hits(page) == []
    assert "What works elsewhere in Europe?" in page.text()


def test_a_document_shows_its_metadata_text_and_relatives(client: TestClient) -> None:
    page = get(client, "/documents/de-power-m")
    assert [text for _, text in page.all("h1")] == ["power_m – return to work after a family break"]
    text = page.text()
    for part in ("Germany (Munich region, Bavaria)", "City of Munich", "women returners", "power_m Perspektive Wiedereinstieg"):
        assert part in text
    assert text.count("The aim of power_m is a job that matches") == 1
    assert "Press article, sueddeutsche.de, Munich section" in text  # the sources are no passage, but are shown
    others = [str(link["href"]) for link, _ in page.all("a") if str(link["href"]).startswith("/documents/")]
    cites, is_cited_by, *related = others
    assert cites == is_cited_by == "/documents/news-2023-04-27-webinar-outreach"
    assert len(related) == 6
    assert "/documents/de-power-m" not in related


def test_how_strong_the_evidence_is_stands_on_hits_lists_and_documents(client: TestClient) -> None:
    client.cookies.set("language", "de")
    try:
        for path in ("/?q=Praktikum&evidence=control-group", "/?evidence=control-group", "/documents/mt-intercept"):
            badges = get(client, path).all("span", class_="badge")
            assert {text for _, text in badges} == {"Belege: Kontrollgruppe"}, path
        document = get(client, "/documents/mt-intercept")
        assert document.all("a", href="/?evidence=control-group")
        [(quotation, text)] = document.all("q")
        assert quotation["lang"] == "en"
        assert text.startswith("A study with a control group found unemployment 10 % lower")
        news = get(client, "/?kind=news")  # nobody has judged these
        assert hits(news)
        assert news.all("span", class_="badge") == []
    finally:
        client.cookies.clear()


def test_a_comparison_names_how_strong_the_evidence_is_and_quotes_the_text(client: TestClient) -> None:
    page = get(client, "/compare", ids="mt-intercept,hr-cisok")
    [row] = [text for _, text in page.all("tr") if text.startswith("Strength of the evidence")]
    assert "A study with a control group found unemployment 10 % lower" in row
    assert row.endswith("none stated")  # and not "not stated" as well
    assert [text for _, text in page.all("p", class_="term")][-2:] == ["control group", "none stated"]


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/documents/nothing", 404, "no document 'nothing'"),
        ("/nothing", 404, "Not Found"),
        ("/?q=" + "x" * 2001, 422, "2000 at most"),
        ("/?q=x&year_from=soon", 422, "year_from"),
        ("/?q=x&offset=-1", 422, "offset"),
    ],
)
def test_a_fault_is_a_page_for_people_and_a_problem_for_programs(
    client: TestClient, path: str, status: int, words: str
) -> None:
    page = get(client, path, status)
    assert words in page.text()
    assert page.all("a", href="/")
    response = client.get(path, headers={"Accept": "application/json"})
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"


# ── Nothing runs in it ──────────────────────────────────────────────────────────────────────────────────────────────

PATHS = ["/", "/?q=women", "/documents/de-power-m", "/documents/nothing"]


@pytest.mark.parametrize("path", PATHS)
def test_a_page_holds_no_inline_script_and_nothing_from_elsewhere(client: TestClient, path: str) -> None:
    page = Html(client.get(path, headers=BROWSER).text)
    for tag, attributes in page.elements:
        assert tag not in {"style", "iframe", "object", "embed", "base"}
        assert tag != "script" or str(attributes["src"]).startswith("/static/page.js")
        assert "style" not in attributes  # the policy would block it
        assert not [name for name in attributes if name.startswith("on")]
        if tag in {"link", "img", "source"}:
            assert str(attributes.get("href") or attributes.get("src")).startswith("/static/")


def assert_closed(headers: Any) -> None:
    directives = dict(part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";"))
    assert directives["default-src"] == "'none'"
    assert (directives["base-uri"], directives["frame-ancestors"]) == ("'none'", "'none'")
    names = ("script-src", "style-src", "img-src", "connect-src", "form-action")
    assert {directives[name] for name in names} == {"'self'"}
    assert set(directives) == {"default-src", "base-uri", "frame-ancestors", *names}
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", [*PATHS, "/api/v1/documents", "/api/v1/nothing", "/static/style.css", "/openapi.json"])
def test_every_answer_is_closed(client: TestClient, path: str) -> None:
    assert_closed(client.get(path, headers=BROWSER).headers)


def test_the_page_of_an_unexpected_fault_is_closed_too(
    client: TestClient, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a secret of the inside")

    monkeypatch.setattr(engine, "ask_events", broken)
    response = client.get("/?q=x", headers=BROWSER)
    assert response.status_code == 500
    assert "secret" not in response.text
    assert_closed(response.headers)


# ── Markup in documents and queries ─────────────────────────────────────────────────────────────────────────────────

HOSTILE = """---
id: hostile
title: '<script>alert("title")</script>'
native_title: '<i onclick="native()">'
organisation: '<img src=x onerror=alert("organisation")>'
region: '<b>region</b>'
kind: '<u>kind</u>'
language: en
countries: [DE]
target_groups: ['"><script>alert("group")</script>']
measure_types: ["'><svg onload=alert(1)>"]
evidence: {strength: '<img src=x onerror=alert("evidence")>', sentence: '<script>alert("sentence")</script>'}
url: 'https://example.org/"><script>alert("url")</script>'
---

# &lt;script>alert("title")&lt;/script>

## &lt;h1>Heading & more&lt;/h1>

Training for bakers &lt;/blockquote>&lt;/section>&lt;script>alert("text")&lt;/script>&lt;iframe src="https://example.org">&lt;/iframe>

&lt;script>alert("block")&lt;/script>
"""
POISONED_LINK = """---
id: poisoned
title: Training for cooks
language: en
url: 'javascript:alert("link")'
---

Training for cooks in hotels.
"""


@pytest.mark.parametrize("query", ["women after a career break", "older workers", "ein junger Mann findet keine Arbeit"])
def test_no_excerpt_tells_a_situation_that_somebody_made_up(client: TestClient, engine: Engine, query: str) -> None:
    shown = Html(client.get("/", params={"q": query, "all": "true"}, headers=BROWSER).text).all("blockquote")
    assert len(shown) == 10
    imagined = {
        sentence
        for text in engine.index().stored.texts([document.id for document in engine.index().stored.documents(EVERYTHING)])
        for page in text.pages
        for (start, end, _), last in zip(
            page.headings, [*(first for first, _, _ in page.headings[1:]), len(page.text)], strict=True
        )
        if is_imagined(page.text[start:end])
        for sentence in re.split(r"(?<=[.?!])\s", " ".join(page.text[end:last].split()))
    }
    for _, text in shown:
        assert not [sentence for sentence in imagined if len(sentence) > 20 and sentence in text]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory, build: Build, encoder: Encoder) -> TestClient:
    folder = tmp_path_factory.mktemp("hostile")
    sources = folder / "sources"
    sources.mkdir()
    for name, text in (
        ("hostile.md", HOSTILE),
        ("poisoned.md", POISONED_LINK),
        ("plain.md", "---\nid: plain\n---\n# Bread\n\nTraining for bakers in villages."),
        (
            "page.html",
            "<title>T</title><h1>A &lt;script&gt; tag</h1><p>Bakers write &lt;script&gt;bread()&lt;/script&gt; here.</p>",
        ),
    ):
        (sources / name).write_text(text, encoding="utf-8")
    build([sources], folder / "index")
    settings = Settings(index_dir=folder / "index", **kept_in(folder))
    return TestClient(create_app(Engine(settings, settings.index_store(), encoder)), raise_server_exceptions=False)


OURS = {
    "html", "head", "meta", "title", "link", "body", "a", "header", "p", "main", "h1", "h2", "h3", "form", "label", "div",
    "input", "button", "details", "summary", "select", "option", "ol", "ul", "li", "span", "blockquote", "mark", "nav",
    "footer", "article", "section", "aside", "dl", "dt", "dd", "script", "fieldset", "legend", "code", "q",
}  # fmt: skip


def assert_harmless(page: Html) -> None:
    assert {tag for tag, _ in page.elements} <= OURS
    assert [attributes["src"] is not None for attributes, text in page.all("script") if not text] == [True]
    for _, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on")]


@pytest.mark.parametrize("path", ["/?country=DE", "/?q=training+for+bakers", "/documents/hostile", "/documents/plain"])
def test_markup_in_a_document_is_shown_as_text(hostile: TestClient, path: str) -> None:
    page = get(hostile, path)
    assert_harmless(page)
    # In the title of a hit, of the document and of a related document, or in the list of target groups.
    assert '<script>alert("title")</script>' in page.text() or '"><script>alert("group")</script>' in page.text()


def test_the_text_of_a_document_stays_whole(hostile: TestClient) -> None:
    text = get(hostile, "/documents/hostile").text()
    for part in (
        'Training for bakers </blockquote></section><script>alert("text")</script><iframe src="https://example.org"></iframe>',
        '<script>alert("block")</script>',
        "<h1>Heading & more</h1>",
        '<img src=x onerror=alert("organisation")>',
        "<b>region</b>",
        '<img src=x onerror=alert("evidence")>',
        '<script>alert("sentence")</script>',
        "'><svg onload=alert(1)>",
    ):
        assert part in text
    result = get(hostile, "/", q="bakers write").text()
    assert "Bakers write <script>bread()</script> here." in result


@pytest.mark.parametrize(
    "q", ['<script>alert("q")</script>', '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "' autofocus onfocus='x()"]
)
def test_markup_in_a_query_is_shown_as_text(hostile: TestClient, q: str) -> None:
    page = get(hostile, "/", q=q)
    assert_harmless(page)
    [(box, _)] = page.all("input", name="q")
    assert box["value"] == q
    assert_harmless(Html(hostile.get("/", params={"q": q, "country": q}, headers=BROWSER).text))


def test_markup_in_an_address_is_shown_as_text(hostile: TestClient) -> None:
    page = get(hostile, "/documents/<script>alert(1)<script>", 404)
    assert_harmless(page)
    assert "<script>alert(1)<script>" in page.text()


@pytest.mark.parametrize("path", ["/?q=training+for+cooks", "/documents/poisoned"])
def test_a_link_never_runs_anything(hostile: TestClient, path: str) -> None:
    page = Html(hostile.get(path, headers=BROWSER).text)
    links = [str(link["href"]) for link, _ in page.all("a")]
    assert [link for link in links if not re.match(r"https?://|/|#", link)] == []


# ── A build between two steps of one request ────────────────────────────────────────────────────────────────────────


@pytest.fixture
def changing(tmp_path: Path, build: Build, encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> tuple[TestClient, str]:
    """A service over the document `old`, and its index's id; a build puts `new` in its place once a request has begun."""
    settings = Settings(index_dir=tmp_path / "index", **kept_in(tmp_path))
    for name in ("old", "new"):
        (tmp_path / f"{name}.md").write_text(f"---\nid: {name}\n---\nTraining for bakers, as it is {name}.", encoding="utf-8")
    build([tmp_path / "old.md"], settings.index_dir)
    engine = Engine(settings, settings.index_store(), encoder)
    old_id = engine.index().manifest.index_id
    proper = engine.index

    def index_then_build() -> Any:
        index = proper()
        build([tmp_path / "new.md"], settings.index_dir)  # changes nothing the second time
        return index

    monkeypatch.setattr(engine, "index", index_then_build)
    return TestClient(create_app(engine), raise_server_exceptions=False), old_id


@pytest.mark.parametrize("path", ["/?q=bakers", "/documents/old"])
def test_a_page_is_made_of_one_generation(path: str, changing: tuple[TestClient, str]) -> None:
    client, _ = changing
    assert "Training for bakers, as it is" in get(client, path).text()


def test_related_documents_carry_the_id_of_their_own_generation(changing: tuple[TestClient, str]) -> None:
    client, old_id = changing
    assert client.get("/api/v1/documents/old/related").json()["index_id"] == old_id
