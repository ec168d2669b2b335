"""What the pages do on the server: languages, forms, feeds, exports, the editor's door. The browser's side is in tests/web."""

import csv
import io
import json
import re
import sqlite3
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from kept import kept_in
from pydantic import SecretStr
from starlette.testclient import TestClient

from pes_search.index.encoders.base import Encoder
from pes_search.index.filters import Filters
from pes_search.index.open_index import OpenIndex
from pes_search.ingest.readers import SUFFIXES
from pes_search.ingest.types import Page
from pes_search.service.api.app import create_app
from pes_search.service.engine import Engine
from pes_search.service.records.config import DatabaseConfig
from pes_search.service.records.records import open_records
from pes_search.service.settings import DeskConfig, Settings
from pes_search.service.web.facets import years
from pes_search.service.web.languages import LANGUAGES, LOCALE, accepted, interface
from pes_search.service.web.links import is_local
from pes_search.service.web.text import Piece, paragraphs

ATOM = "{http://www.w3.org/2005/Atom}"
KEY = "a long enough editor's key"
TEMPLATES = LOCALE.parent / "templates"


@pytest.fixture
def site(engine: Engine, tmp_path: Path) -> TestClient:
    """The service with a database of its own."""
    return TestClient(create_app(with_settings(engine, **kept_in(tmp_path))), follow_redirects=False)


def with_settings(engine: Engine, **values: object) -> Engine:
    """Return an engine that shares model and index but not its settings."""
    other = object.__new__(Engine)
    other.__dict__ |= engine.__dict__ | {"settings": engine.settings.model_copy(update=values)}
    return other


# ── Languages ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("header", "codes"),
    [
        ("", []),
        ("de", ["de"]),
        ("de-AT,de;q=0.9,en;q=0.8", ["de", "de", "en"]),
        ("en;q=0.2, pl;q=0.7", ["pl", "en"]),
        ("fr;q=0, it", ["it"]),
        ("*, ;;;q=x, es", ["es"]),
    ],
)
def test_the_browsers_languages_are_read_in_their_order(header: str, codes: list[str]) -> None:
    assert accepted(header) == codes


@pytest.mark.parametrize("code", list(LANGUAGES))
def test_a_page_follows_the_browser_and_the_readers_choice(site: TestClient, code: str) -> None:
    other = "de" if code != "de" else "fr"
    assert f'<html lang="{code}">' in site.get("/about", headers={"Accept-Language": f"xx, {code}-XX;q=0.5"}).text
    chosen = site.post("/language", data={"language": code, "next": "/about?x=1"})
    assert (chosen.status_code, chosen.headers["location"]) == (303, "/about?x=1")
    assert f'<html lang="{code}">' in site.get("/about", headers={"Accept-Language": other}).text


@pytest.mark.parametrize(
    "address", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "", "/\n/x"]
)
def test_a_form_leads_nowhere_else(site: TestClient, address: str) -> None:
    assert not is_local(address)
    assert site.post("/language", data={"language": "de", "next": address}).headers["location"] == "/"


def catalogue(code: str) -> Catalog:
    with (LOCALE / code / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=code)


def texts() -> set[str]:
    """Return the texts of the templates that stand between trans and endtrans, as far as they have no placeholder."""
    messages: set[str] = set()
    for path in TEMPLATES.rglob("*.html"):
        messages |= set(re.findall(r"{% trans %}([^{%]+){% endtrans %}", path.read_text("utf-8")))
        messages |= set(re.findall(r'_\("([^"]+)"\)', path.read_text("utf-8")))
    return messages


@pytest.mark.parametrize("code", [language for language in LANGUAGES if language != "en"])
def test_a_catalogue_has_every_text(code: str) -> None:
    known = {
        (message.id if isinstance(message.id, str) else message.id[0]): message for message in catalogue(code) if message.id
    }
    assert len(texts()) > 100
    assert sorted(texts() - set(known)) == []  # else: make catalogues
    assert [
        text
        for text, message in known.items()
        if not all([message.string] if isinstance(message.string, str) else message.string)
    ] == []
    assert [(text, list(message.check())) for text, message in known.items() if list(message.check())] == []
    # Jinja doubles a bare sign in a text, and takes one in a translation for a placeholder.
    assert [text for text, message in known.items() if "%" in re.sub(r"%\(\w+\)s", "", f"{text}{message.string}")] == []


def test_every_language_but_the_texts_own_has_a_catalogue_and_no_other_has() -> None:
    assert {folder.name for folder in LOCALE.iterdir()} == set(LANGUAGES) - {"en"}  # `make catalogues` goes by the folders


@pytest.mark.parametrize("code", [language for language in LANGUAGES if language != "en"])
def test_a_page_is_wholly_in_its_language(site: TestClient, code: str) -> None:
    english = {text for text in texts() if len(text.split()) > 3}
    for path in (
        "/",
        "/compare",
        "/saved",
        "/about",
        "/desk",
        "/desk/upload",
        "/desk/judge",
        "/desk/questions",
        "/map",
        "/desk/duplicates",
    ):
        page = site.get(path, headers={"Accept-Language": code}).text
        assert [text for text in english if text in page] == [], path


def test_dates_and_numbers_are_written_as_the_language_has_them() -> None:
    assert interface("de").number(1234.5) == "1.234,5"
    assert interface("en").number(1234.5) == "1,234.5"
    assert interface("fr").date("2023-04-27") == "27 avril 2023"
    assert interface("de").date("2023-04-27") == "27. April 2023"
    assert interface("en").date("2019-09") == "2019-09"
    assert interface("pl").country("DE") == "Niemcy"


# ── Text and filters ────────────────────────────────────────────────────────────────────────────────────────────────


def test_marks_go_over_lines_and_addresses_become_links() -> None:
    page = Page("d", None, "Head\nSee https://example.org/a_(b), then\nmore.", ((0, 4, 2),))
    lines = list(paragraphs(page, 0, len(page.text), [(page.text.index("then"), len(page.text))]))
    assert [line.level for line in lines] == [2, 0, 0]
    assert lines[1].pieces == [
        Piece("See "),
        Piece("https://example.org/a_(b", href="https://example.org/a_(b"),
        Piece("), "),
        Piece("then", True),
    ]
    assert lines[2].pieces == [Piece("more.", True)]
    assert "".join(line.text for line in lines) == page.text.replace("\n", "")


def test_the_counts_beside_the_years_are_what_choosing_them_leaves(corpus_index: OpenIndex) -> None:
    filters = Filters(country=("DE", "AT"), year_to=2020)
    first, last = years(corpus_index.stored.counts(filters).facets, filters, interface("en"))
    assert len(first.options) > 3
    for option in first.options:
        chosen = Filters(country=("DE", "AT"), year_from=int(option.value), year_to=2020)
        assert option.count == corpus_index.stored.counts(chosen).documents
    for option in last.options:
        assert option.count == corpus_index.stored.counts(Filters(country=("DE", "AT"), year_to=int(option.value))).documents


# ── Forms ───────────────────────────────────────────────────────────────────────────────────────────────────────────

FEEDBACK = {"about": "hit", "useful": "false", "question": "who pays?", "document_id": "de-power-m", "back": "/?q=who+pays%3F"}


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}]
)
@pytest.mark.parametrize(
    "path", ["/feedback", "/saved", "/language", "/sign-in", "/sign-out", "/desk/sign-in", "/desk/judge", "/desk/upload"]
)
def test_a_form_of_another_site_is_refused(site: TestClient, path: str, headers: dict[str, str]) -> None:
    response = site.post(path, data=FEEDBACK, headers=headers)
    assert response.status_code == 403
    assert "default-src 'none'" in response.headers["content-security-policy"]


def test_feedback_is_kept_and_commented_once_by_who_gave_it(site: TestClient) -> None:
    thanks = site.post("/feedback", data=FEEDBACK, headers={"Origin": "http://testserver"}).text
    fields = dict(re.findall(r'name="(feedback_id|proof)" value="([^"]+)"', thanks))
    assert site.post("/feedback/comment", data={**fields, "comment": "no figures"}).status_code == 200
    assert site.post("/feedback/comment", data={**fields, "proof": "0" * 64, "comment": "changed"}).status_code == 404
    page = site.get("/desk/feedback").text
    assert "no figures" in page
    assert "changed" not in page


@pytest.mark.parametrize("change", [{"about": "me"}, {"useful": "perhaps"}, {"question": "x" * 2001}])
def test_faulty_feedback_is_refused(site: TestClient, change: dict[str, str]) -> None:
    assert site.post("/feedback", data={**FEEDBACK, **change}).status_code == 422


def test_searching_goes_on_without_a_database(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    broken = DatabaseConfig(path=tmp_path / "file" / "pes.sqlite3")
    client = TestClient(create_app(with_settings(engine, database=broken)), raise_server_exceptions=False)
    assert client.get("/?q=vouchers").status_code == 200
    assert client.post("/api/v1/ask", json={"question": "Who pays for power_m?"}).status_code == 200
    response = client.post("/feedback", data=FEEDBACK, headers={"Accept": "text/html"})
    assert response.status_code == 503
    assert "what people leave here cannot be kept or read just now; searching goes on; who runs" in response.text
    assert str(tmp_path) not in response.text


def test_a_proof_is_as_good_after_a_restart(site: TestClient, engine: Engine, tmp_path: Path) -> None:
    thanks = site.post("/feedback", data=FEEDBACK).text
    fields = dict(re.findall(r'name="(feedback_id|proof)" value="([^"]+)"', thanks))
    again = TestClient(create_app(with_settings(engine, **kept_in(tmp_path))))
    assert again.post("/feedback/comment", data={**fields, "comment": "after a restart"}).status_code == 200
    assert "after a restart" in site.get("/desk/feedback").text
    elsewhere = TestClient(create_app(with_settings(engine, **kept_in(tmp_path / "elsewhere"))))
    elsewhere.post("/feedback", data=FEEDBACK)  # has the number, too
    assert elsewhere.post("/feedback/comment", data={**fields, "comment": "x"}).status_code == 404


# ── The log ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_question_is_logged_once_and_a_personal_one_never(site: TestClient, tmp_path: Path) -> None:
    site.get("/?q=How+deep+is+the+Mariana+trench%3F")
    site.get("/?q=How+deep+is+the+Mariana+trench%3F&country=DE", headers={"Pes-Part": "filters"})  # a filter that changes
    site.get("/?q=How+deep+is+the+Mariana+trench%3F&offset=10")
    site.post("/api/v1/ask", json={"question": "Will I get my unemployment benefit next month, Anna Muster?"})
    logged = open_records(DatabaseConfig(path=tmp_path / "pes.sqlite3")).questions.find()
    assert [(question.question, question.count, question.refused) for question in logged] == [
        ("How deep is the Mariana trench?", 1, 1)
    ]


@pytest.mark.parametrize(
    ("headers", "count"),
    [
        ({}, 1),  # a program
        ({"Sec-Fetch-Site": "none"}, 1),  # typed, or a bookmark
        ({"Sec-Fetch-Site": "same-origin", "Referer": "http://testserver/"}, 1),
        ({"Referer": "http://testserver/?q=x"}, 1),  # a browser that does not send Sec-Fetch-Site
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "image"}, 0),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, 0),
        ({"Sec-Fetch-Site": "same-site"}, 0),
        ({"Referer": "https://evil.example/"}, 0),
        ({"Origin": "https://evil.example"}, 0),
        ({"Sec-Fetch-Site": "same-origin", "Sec-Purpose": "prefetch;prerender"}, 0),
        ({"Sec-Fetch-Site": "none", "Purpose": "prefetch"}, 0),
    ],
)
def test_what_another_site_asks_is_answered_and_not_kept(
    site: TestClient, tmp_path: Path, headers: dict[str, str], count: int
) -> None:
    site.post("/saved", data={"search": "/?q=vouchers"})
    [token] = set(re.findall(r"/saved/([\w-]+)/feed", site.get("/saved").text))
    with sqlite3.connect(tmp_path / "pes.sqlite3") as connection:
        connection.execute("UPDATE saved_searches SET opened = ''")
    assert site.get("/?q=How+deep+is+the+Mariana+trench%3F", headers=headers).status_code == 200
    assert site.get(f"/saved/{token}/feed", headers=headers).status_code == 200
    logged = open_records(DatabaseConfig(path=tmp_path / "pes.sqlite3")).questions.find()
    assert sum(question.count for question in logged) == count
    opened = connection.execute("SELECT opened FROM saved_searches").fetchone()[0]
    connection.close()
    assert bool(opened) == bool(count)


def test_what_another_site_streams_is_not_kept(site: TestClient, tmp_path: Path) -> None:
    from_elsewhere = {"Sec-Fetch-Site": "cross-site"}
    site.get("/answer?q=How+deep+is+the+Mariana+trench%3F", headers=from_elsewhere)
    site.get("/api/v1/ask/stream?question=How+deep+is+the+Mariana+trench%3F", headers=from_elsewhere)
    site.post("/api/v1/ask", json={"question": "How deep is the Mariana trench?"}, headers=from_elsewhere)
    records = open_records(DatabaseConfig(path=tmp_path / "pes.sqlite3"))
    assert records.questions.find() == []
    site.get("/answer?q=How+deep+is+the+Mariana+trench%3F")
    assert [question.count for question in records.questions.find()] == [1]


# ── Saved searches ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_feed_lists_what_a_search_finds_the_newest_first(site: TestClient, tmp_path: Path) -> None:
    site.get("/saved")
    site.post("/saved", data={"search": "/?q=vouchers&country=HR&country=GR&offset=10&writer=llm"})
    [token] = set(re.findall(r"/saved/([\w-]+)/feed", site.get("/saved").text))
    with sqlite3.connect(tmp_path / "pes.sqlite3") as connection:
        connection.execute(
            "UPDATE arrivals SET at = '2099-01-02T03:04:05+00:00', lived = 10 WHERE document_id = 'gr-digital-vouchers'"
        )
    connection.close()
    root = ET.fromstring(site.get(f"/saved/{token}/feed").text)
    entries = [entry.findtext(f"{ATOM}id") for entry in root.iter(f"{ATOM}entry")]
    assert entries[0] == "urn:pes-search:document:gr-digital-vouchers"
    assert "urn:pes-search:document:hr-vouchers" in entries
    assert root.findtext(f"{ATOM}updated") == "2099-01-02T03:04:05+00:00"
    assert "1 new document since then" in site.get("/saved").text
    assert site.get("/saved/nothing/feed").status_code == 404
    other = TestClient(site.app, follow_redirects=False)
    assert other.post(f"/saved/{token}/delete").status_code == 404
    assert site.post(f"/saved/{token}/delete").status_code == 303
    assert site.get(f"/saved/{token}/feed").status_code == 404


def test_an_empty_search_is_not_saved(site: TestClient) -> None:
    site.post("/saved", data={"search": "/?q=+&country="})
    assert "/feed" not in site.get("/saved").text
    assert site.post("/saved", data={"search": "/?q=x&year_from=soon"}).status_code == 422


# ── Exports ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_export_has_the_results_of_the_page(site: TestClient) -> None:
    result = site.get("/api/v1/search", params={"q": "vouchers", "country": ["HR", "GR"], "k": 200}).json()
    wanted = [hit["document_id"] for hit in result["hits"]]
    table = site.get("/export.csv?q=vouchers&country=HR&country=GR")
    assert "attachment" in table.headers["content-disposition"]
    assert [row["id"] for row in csv.DictReader(io.StringIO(table.content.decode("utf-8-sig")))] == wanted
    assert [
        value["id"] for value in json.loads(site.get("/export.json?q=vouchers&country=HR&country=GR").text)["results"]
    ] == wanted
    assert site.get("/export.bib?country=HR&kind=practice").text.count("\n}") == 6
    assert site.get("/export.ris?country=HR&kind=practice").text.count("ER  - ") == 6
    assert site.get("/export.xml?country=HR").status_code == 422


# ── The editor's desk ───────────────────────────────────────────────────────────────────────────────────────────────

DESK = ["", "/duplicates", "/gaps", "/questions", "/judge", "/qrels.txt", "/queries.jsonl", "/feedback", "/upload"]


@pytest.fixture
def locked(engine: Engine, tmp_path: Path) -> TestClient:
    settings = {**kept_in(tmp_path), "desk": DeskConfig(key=SecretStr(KEY), uploads=tmp_path)}
    return TestClient(create_app(with_settings(engine, **settings)), follow_redirects=False)


@pytest.mark.parametrize("path", DESK)
def test_nobody_without_the_key_sees_the_desk(locked: TestClient, path: str) -> None:
    response = locked.get(f"/desk{path}")
    assert response.status_code == 303
    assert response.headers["location"].startswith("/sign-in?next=%2Fdesk")


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/judge", {"q": "x", "grade-de-power-m": "3"}),
        ("/feedback/1", {"action": "delete"}),
        ("/duplicates", {"verdict": "part", "document_id": "de-power-m", "other_ids": "pl-kfs"}),
        ("/upload/" + "0" * 32, {"action": "keep"}),
    ],
)
def test_nobody_without_the_key_changes_anything(locked: TestClient, path: str, fields: dict[str, str]) -> None:
    assert locked.post(f"/desk{path}", data=fields).headers["location"].startswith("/sign-in")
    assert locked.post("/desk/upload", files={"file": ("a.md", b"# A\n\nText.")}).headers["location"].startswith("/sign-in")


def test_a_wrong_key_or_a_forged_session_opens_nothing(locked: TestClient) -> None:
    assert locked.post("/desk/sign-in", data={"key": KEY + "x"}).status_code == 403
    for cookie in ("", "x", "9" * 5000, f"{int(time.time()) + 1000}.{'0' * 64}"):
        locked.cookies.set("pes_session", cookie)
        assert locked.get("/desk").status_code == 303
    locked.cookies.clear()
    signed_in = locked.post("/desk/sign-in", data={"key": KEY, "next": "//evil.example"})
    assert signed_in.headers["location"] == "/"
    assert "HttpOnly" in signed_in.headers["set-cookie"]
    assert "SameSite=lax" in signed_in.headers["set-cookie"]  # links from elsewhere find who is signed in
    assert locked.get("/desk").status_code == 200


def test_the_desk_shows_what_the_collection_repeats(build: object, tmp_path: Path, encoder: Encoder) -> None:
    text = "Bakers in villages get vouchers for evening courses. In 2019, 120 of them found work."
    (tmp_path / "sources").mkdir()
    for name in ("one", "two"):
        body = f"---\nid: {name}\nkind: practice\ncountries: [FR]\n---\n# Vouchers for bakers {name}\n\n{text}"
        (tmp_path / "sources" / f"{name}.md").write_text(body, encoding="utf-8")
    build([tmp_path / "sources"], tmp_path / "index")  # type: ignore[operator]
    settings = Settings(index_dir=tmp_path / "index", **kept_in(tmp_path))
    client = TestClient(create_app(Engine(settings, settings.index_store(), encoder)))
    page = client.get("/desk/duplicates").text
    assert "Vouchers for bakers one" in page
    assert "/compare?ids=one&amp;ids=two" in page
    assert "no year, no target group, no measure" in client.get("/desk/gaps").text


def forms(page: str) -> list[tuple[str, dict[str, list[str]]]]:
    """Return what each form of the page of duplicates sends, by what its button says."""
    found = re.findall(r'<form action="/desk/duplicates" method="post">(.*?)</form>', page, re.DOTALL)
    return [
        (
            re.sub(r"<[^>]+>", "", form).strip(),
            {name: re.findall(rf'name="{name}" value="([^"]*)"', form) for name in ("verdict", "document_id", "other_ids")},
        )
        for form in found
    ]


def test_an_editor_parts_confirms_and_takes_back_on_the_desk(copied: Engine) -> None:
    site = TestClient(create_app(copied), follow_redirects=False)

    def listed() -> list[str]:
        found = site.get("/export.json", params={"q": "a bus that visits villages"}).text
        return [one for one in re.findall(r'"id": "(\w+)"', found) if one in {"story", "copy", "german"}]

    assert listed() == ["story"]
    page = site.get("/desk/duplicates").text
    sent = dict(forms(page))
    # The documents as they stand to the first, which each of the buttons names for who does not see.
    assert [name for name in sent if name.startswith(("Confirm", "No copy"))] == [
        "Confirm: The bus",
        "No copy: The bus",
        "No copy: as The bus: The bus",
        "No copy: in German: The bus",
    ]
    part = sent["No copy: as The bus: The bus"]
    assert part == {"verdict": ["part"], "document_id": ["copy"], "other_ids": ["story", "german"]}
    assert site.post("/desk/duplicates", data=part).headers["location"] == "/desk/duplicates"
    page = site.get("/desk/duplicates").text
    assert [name for name, _ in forms(page)] == [
        "Confirm: The bus",
        "No copy: in German: The bus",
        "Take back: The bus, Der Bus",
        "Take back: The bus, The bus",
    ]
    assert listed() == ["story", "copy"]
    site.post("/desk/duplicates", data=dict(forms(page))["Confirm: The bus"])
    page = site.get("/desk/duplicates").text
    assert '<span class="tag">confirmed</span>' in page
    for name, sent_back in forms(page):
        if name.startswith("Take back"):
            assert site.post("/desk/duplicates", data=sent_back).status_code == 303
    assert [name for name, _ in forms(site.get("/desk/duplicates").text)] == list(sent)


def test_the_desk_tells_what_cannot_be_decided(copied: Engine) -> None:
    site = TestClient(create_app(copied))
    html = {"Accept": "text/html"}
    unknown = site.post(
        "/desk/duplicates", data={"verdict": "part", "document_id": "story", "other_ids": "nowhere"}, headers=html
    )
    assert (unknown.status_code, "no document &#39;nowhere&#39;" in unknown.text) == (404, True)
    foreign = {"Origin": "https://evil.example"}
    sent = {"verdict": "part", "document_id": "story", "other_ids": "copy"}
    assert site.post("/desk/duplicates", data=sent, headers=foreign).status_code == 403
    assert site.post("/desk/duplicates", data={**sent, "verdict": "burn"}).status_code == 422


def test_a_form_that_is_too_large_is_refused_before_it_is_read(site: TestClient) -> None:
    response = site.post("/desk/upload", content=b"x", headers={"Content-Length": "60000000", "Accept": "text/html"})
    assert response.status_code == 413
    assert "send a smaller file" in response.text


def test_odd_addresses_of_a_search_are_no_fault(site: TestClient) -> None:
    assert site.post("/saved", data={"search": "//["}).status_code == 303
    assert site.post("/language", data={"language": "de"}, headers={"Origin": "http://["}).status_code == 403
    site.post("/saved", data={"search": "/?q=a%01b+c"})
    [token] = set(re.findall(r"/saved/([\w-]+)/feed", site.get("/saved").text))
    assert "a b c" in (ET.fromstring(site.get(f"/saved/{token}/feed").text).findtext(f"{ATOM}title") or "")


def test_feedback_on_a_personal_question_does_not_carry_it(site: TestClient) -> None:
    page = site.get("/?q=Will+I+get+my+unemployment+benefit+next+month,+Anna+Muster%3F").text
    box = page[page.index('aria-labelledby="answer-title"') : page.index("</section>")]
    assert re.findall(r'name="question" value="([^"]*)"', box) == [""]


def test_the_upload_page_takes_every_format_that_has_a_reader(site: TestClient) -> None:
    page = site.get("/desk/upload").text
    assert f'accept="{",".join(SUFFIXES)}"' in page
    assert f"{', '.join(SUFFIXES)}, up to 50 MB" in page
