"""Closed documents through every surface: who may not read them gets what a service gives that does not have them.

Each request goes to two services: one with closed documents, asked by a visitor who reads what is public, and one that was
built without them. Their answers are the same, but for ids of the index and for times. A route without a case here fails.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest
from closed import BOARD_ID, CLOSED, INTERNAL_IDS, PUBLIC_IDS, SECRETS, write_collection
from kept import kept_in
from starlette.testclient import TestClient

from pes_search.index.build import build_index
from pes_search.index.config import IndexConfig
from pes_search.index.encoders.base import Encoder, EncoderConfig
from pes_search.index.encoders.identity import model_fingerprint
from pes_search.index.stores.files import FileStore
from pes_search.ingest.visibility import PlaceLabels
from pes_search.service.access.visitor import Visitor
from pes_search.service.api.app import create_app
from pes_search.service.engine import Engine
from pes_search.service.settings import Settings

PUBLIC, INTERNAL = frozenset[str](), frozenset({"internal"})
QUERIES = (
    "zorbulation in Japan",
    "young people in the garden",
    "training of bakers",
    "zorbulaton",  # a slip in a word that only closed documents have
    "Quillfether Institute",
    "QFF",
    "Carta zorbulatória",
    '"zorbulation vault"',
    "title:zorbulation",
    "garden -zorbulation",
    "work in 1987",
    "letters year:2019",
)
QUESTIONS = (
    "Who pays for the zorbulation?",
    "How many young people take part in the zorbulation vault?",
    "How many young people found a job in a bakery?",
    "Who pays for the garden?",
    "Which practices are there in Japan?",
    "What is zorbulaton?",
    "Which practice reached most people?",
)
CLOSED_PASSAGE = "zxq-vault~0-10"
BASE = "http://testserver"
Cases = dict[tuple[str, str], list[dict[str, Any]]]


def get(address: str, **parameters: Any) -> dict[str, Any]:
    return {"url": address, "params": parameters}


def form(address: str, **values: Any) -> dict[str, Any]:
    return {"url": address, "data": values}


ASKED = [get("/", q=query) for query in (*QUERIES, *QUESTIONS)]
FILTERED: list[dict[str, Any]] = [
    {"country": "JP"},
    {"country": "DE"},
    {"organisation": "Quillfeather Institute"},
    {"year_to": 1990},
]
FILTERED += [{"language": "pt"}, {"kind": "practice"}, {"end_year": "1987"}, {"target_group": "young-people"}, {}]
CASES: Cases = {
    ("GET", "/"): [
        *ASKED,
        *(get("/", **{"all": "true", **filters}) for filters in FILTERED),
        get("/", q="garden", all="true", offset=5),
        get("/", q="and who pays?", after="Who pays for the zorbulation vault?"),
    ],
    ("GET", "/export.{form}"): [
        get(f"/export.{form}", q=query, all="true") for form in ("csv", "json", "bib", "ris") for query in ("zorbulation", "")
    ],
    ("GET", "/answer"): [get("/answer", q=question) for question in QUESTIONS[:3]],
    ("GET", "/documents/{document_id}"): [get(f"/documents/{one}") for one in (*PUBLIC_IDS, *INTERNAL_IDS, "nobody")],
    ("GET", "/compare"): [
        get("/compare"),
        get("/compare", ids="bakers,garden", country="DE"),
        get("/compare", ids="garden,zxq-vault"),
        get("/compare", ids="garden", country="FR"),
    ],
    ("GET", "/map"): [get("/map"), get("/map", detailed="true")],
    ("POST", "/saved"): [form("/saved", search="/?q=zorbulation"), form("/saved", search="/?kind=practice")],
    ("GET", "/saved"): [get("/saved")],
    ("GET", "/saved/{token}/feed"): [get("/saved/{0}/feed"), get("/saved/{1}/feed")],
    ("POST", "/saved/{token}/delete"): [form("/saved/nobody/delete")],
    ("POST", "/feedback"): [
        form("/feedback", about="hit", useful="true", question="garden", document_id="zxq-vault", passage_id=CLOSED_PASSAGE)
    ],
    ("GET", "/desk"): [get("/desk")],
    ("GET", "/desk/duplicates"): [get("/desk/duplicates")],
    ("POST", "/desk/duplicates"): [
        form("/desk/duplicates", verdict="part", document_id="bakers", other_ids="zxq-bakers"),
        form("/desk/duplicates", verdict="part", document_id="bakers", other_ids="nobody"),
        form("/desk/duplicates", verdict="confirm", document_id="garden", other_ids="vouchers"),
    ],
    ("GET", "/desk/gaps"): [get("/desk/gaps")],
    ("GET", "/desk/judge"): [get("/desk/judge", q="zorbulation"), get("/desk/judge", q="young people")],
    ("POST", "/desk/judge"): [form("/desk/judge", q="young people", **{"grade-garden": "1"})],
    ("POST", "/desk/upload"): [
        # The file of a closed document itself, and one with its id.
        {"url": "/desk/upload", "files": {"file": ("vault.md", b"CLOSED")}},
        {
            "url": "/desk/upload",
            "files": {"file": ("other.md", b"---\nid: zxq-vault\n---\n# Other\n\nZorbulation for young people.")},
        },
    ],
    ("GET", "/api/v1/search"): [
        *(get("/api/v1/search", q=query, all="true", k=20) for query in QUERIES),
        *(get("/api/v1/search", q=query, group="passage") for query in QUERIES[:2]),
        *(get("/api/v1/search", q="young people", **filters) for filters in FILTERED),
    ],
    ("POST", "/api/v1/ask"): [
        *({"url": "/api/v1/ask", "json": {"question": question}} for question in QUESTIONS),
        {"url": "/api/v1/ask", "json": {"question": "Who pays?", "country": ["JP"]}},
        {
            "url": "/api/v1/ask",
            "json": {"question": "and who pays?", "previous": "How many take part in the zorbulation vault?"},
        },
    ],
    ("GET", "/api/v1/ask/stream"): [get("/api/v1/ask/stream", question=question) for question in QUESTIONS],
    ("GET", "/api/v1/compare"): [get("/api/v1/compare", ids="bakers,garden"), get("/api/v1/compare", ids="zxq-vault,garden")],
    ("GET", "/api/v1/documents"): [
        *(get("/api/v1/documents", **filters) for filters in FILTERED),
        get("/api/v1/documents", k=2, offset=6),
    ],
    ("GET", "/api/v1/documents/{document_id}"): [
        get(f"/api/v1/documents/{one}") for one in (*PUBLIC_IDS, *INTERNAL_IDS, BOARD_ID, "nobody")
    ],
    ("GET", "/api/v1/documents/{document_id}/related"): [
        get(f"/api/v1/documents/{one}/related") for one in (*PUBLIC_IDS, *INTERNAL_IDS, "nobody")
    ],
    ("GET", "/api/v1/duplicates"): [get("/api/v1/duplicates")],
    ("POST", "/api/v1/duplicates"): [
        {"url": "/api/v1/duplicates", "json": {"verdict": verdict, "document_id": "bakers", "other_ids": ["zxq-bakers"]}}
        for verdict in ("confirm", "part")
    ],
    ("GET", "/api/v1/passages/{passage_id}"): [get(f"/api/v1/passages/{one}") for one in (CLOSED_PASSAGE, "nobody~0-10")],
}
# Routes that give nothing of documents to anybody.
WITHOUT_DOCUMENTS = {
    ("GET", "/about"),
    ("GET", "/favicon.ico"),
    ("GET", "/healthz"),
    ("GET", "/openapi.json"),
    ("GET", "/readyz"),
    ("MOUNT", "/static"),
    ("POST", "/feedback/comment"),
    ("POST", "/language"),
    ("GET", "/metrics"),  # of the whole service, for who watches it: with a key of their own, or an admin's
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("POST", "/sign-out"),
    ("GET", "/sign-in/account"),
    ("GET", "/sign-in/callback"),
    ("GET", "/desk/sign-in"),
    ("POST", "/desk/sign-in"),
    ("POST", "/desk/sign-out"),
    ("GET", "/desk/upload"),  # what waits in a folder of the editors'
    ("POST", "/desk/upload/{token}"),
    # What visitors asked and said, and how editors judged, is the editors' who read all.
    ("GET", "/desk/feedback"),
    ("POST", "/desk/feedback/{feedback_id}"),
    ("GET", "/desk/qrels.txt"),
    ("GET", "/desk/queries.jsonl"),
    ("GET", "/desk/questions"),
}


class Services(NamedTuple):
    """A service with closed documents and one without."""

    whole: TestClient
    alone: TestClient


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder, cache_dir: Path) -> Services:
    def service(*, with_closed: bool) -> TestClient:
        folder = tmp_path_factory.mktemp("service")
        sources = write_collection(folder / "sources", with_closed=with_closed)
        build_index(
            [str(sources)],
            FileStore(folder / "index"),
            lambda: encoder,
            model=model_fingerprint(EncoderConfig()),
            cache_dir=cache_dir,
            config=IndexConfig(),
            # Front matter closes some, their folder the others.
            labels=PlaceLabels({str(sources / "closed" / f"{name}.md"): "internal" for name in CLOSED if name != "board"}),
        )
        settings = Settings(index_dir=folder / "index", **kept_in(folder))
        return TestClient(create_app(Engine(settings, settings.index_store(), encoder)), raise_server_exceptions=False)

    return Services(service(with_closed=True), service(with_closed=False))


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Callable[[frozenset[str] | None], None]:
    """Let whoever sends a request read some labels from now on."""

    def run(labels: frozenset[str] | None) -> None:
        visitor = Visitor("reader" if labels is not None else "admin", labels)
        monkeypatch.setattr("pes_search.service.api.requests.visitor_of", lambda request: visitor)

    run(PUBLIC)
    return run


def routes(several: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield the method and path of each route of an app."""
    for route in several:
        if inner := getattr(route, "original_router", None):
            yield from routes(inner.routes, prefix + route.include_context.prefix)
        else:
            methods = getattr(route, "methods", None) or {"MOUNT"}
            yield from ((method, prefix + route.path) for method in methods if method != "HEAD")


def test_every_route_has_a_case(services: Services) -> None:
    known = {(method, path) for method, path in routes(services.whole.app.routes) if path}  # type: ignore[attr-defined]
    assert known - CASES.keys() - WITHOUT_DOCUMENTS == set(), (
        "say what of these a visitor may see who reads public documents only"
    )
    assert (CASES.keys() | WITHOUT_DOCUMENTS) - known == set()


def send(client: TestClient, method: str, request: dict[str, Any], tokens: list[str]) -> httpx2.Response:
    given = dict(request)
    if "{" in given["url"]:
        given["url"] = given["url"].format(*tokens)
    if (files := given.get("files")) and files["file"][1] == b"CLOSED":
        fields, title, text = CLOSED["vault"]
        content = f"---\nid: zxq-vault\nkind: practice\n{fields}---\n# {title}\n\n{text}\n"
        given["files"] = {"file": ("vault.md", content.encode())}
    return client.request(method, **given, follow_redirects=False)


def tokens_of(client: TestClient) -> list[str]:
    return list(dict.fromkeys(re.findall(r"/saved/([^/\"]+)/feed", client.get("/saved").text)))


def comparable(response: httpx2.Response) -> str:
    """A response without what tells an index or a moment from another, and with rounded scores."""
    text = f"{response.status_code} {response.headers.get('location', '')}\n{response.text}"
    text = re.sub(r"\b[0-9a-f]{12}\b", "INDEX", text)
    text = re.sub(r"\b[0-9a-f]{16}\b", "REQUEST", text)
    text = re.sub(r"\"took_ms\": ?[\d.]+", "", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:[\d.]+(\+00:00|Z)?", "TIME", text)
    text = re.sub(r"\d+:\d\d:\d\d\s[AP]M", "TIME", text)
    text = re.sub(r"(/saved/|:saved:)[\w-]{8,}", r"\1TOKEN", text)
    text = re.sub(r"\b[0-9a-f]{64}\b", "CONTENT", text)
    text = re.sub(r"(name=\"proof\" value=\")\w+", r"\1PROOF", text)
    return re.sub(r"\d\.\d{3,}(e-\d+)?", lambda match: f"{float(match[0]):.3f}", text)


def without_echo(text: str, request: dict[str, Any]) -> str:
    """A response without what the request itself said, in any of the ways in which pages and addresses write it."""
    import html
    from urllib.parse import quote, quote_plus

    said = [str(value) for part in ("params", "json", "data") for value in request.get(part, {}).values()]
    said += [item for value in said for item in re.split(r"[^\w]+", value) if len(item) > 1] + request["url"].split("/")
    for one in sorted({*said, *(value.strip("[]'") for value in said)}, key=len, reverse=True):
        for written in {one, html.escape(one), quote(one, safe=""), quote_plus(one), json.dumps(one)[1:-1]}:
            text = text.replace(written.lower(), " ") if written else text
    return text


@pytest.mark.parametrize("case", [pytest.param(key, id=" ".join(key)) for key in CASES])
def test_who_reads_public_documents_gets_what_there_is_without_the_closed_ones(
    services: Services, reads: Callable[[frozenset[str] | None], None], case: tuple[str, str]
) -> None:
    if case[1].startswith("/saved"):
        for client in services:
            client.cookies.clear()
            for request in CASES["POST", "/saved"]:
                send(client, "POST", request, [])
    tokens = [tokens_of(client) if case[1].startswith("/saved") else [] for client in services]
    for request in CASES[case]:
        seen, alone = (send(client, case[0], request, of) for client, of in zip(services, tokens, strict=True))
        assert comparable(seen) == comparable(alone), request
        assert seen.status_code < 500, request
        if "files" not in request and not case[1].startswith("/saved"):  # they show what was said before
            rest = without_echo(comparable(seen).lower(), request)
            assert [secret for secret in SECRETS if re.search(rf"\b{secret}", rest)] == [], request


def test_headers_tell_nothing_either(services: Services, reads: Callable[[frozenset[str] | None], None]) -> None:
    for request in (get("/", q="zorbulation"), get("/export.csv"), get("/api/v1/documents")):
        seen, alone = (send(client, "GET", request, []) for client in services)
        assert {name: value for name, value in seen.headers.items() if name not in {"content-length", "x-request-id"}} == {
            name: value for name, value in alone.headers.items() if name not in {"content-length", "x-request-id"}
        }


# What shows the closed documents to who may read them, with what of them it shows.
SHOWING: list[tuple[str, dict[str, Any], str]] = [
    ("GET", get("/api/v1/search", q="zorbulation"), '"visibility":"internal"'),
    ("GET", get("/api/v1/search", q="zorbulaton", as_typed="true"), "zorbulation"),
    ("GET", get("/api/v1/documents", country="JP"), '"total":1'),
    ("GET", get("/api/v1/documents"), f'"total":{len(PUBLIC_IDS) + len(INTERNAL_IDS)}'),
    ("GET", get("/api/v1/documents/zxq-vault"), '"visibility":"internal"'),
    ("GET", get("/api/v1/documents/garden"), '"related":["zxq-vault","vouchers"]'),
    ("GET", get("/api/v1/documents/letters"), '"document_id":"zxq-letters"'),
    ("GET", get("/api/v1/documents/garden/related"), "zxq-vault"),
    ("GET", get("/api/v1/duplicates"), "zxq-bakers"),
    ("GET", get("/api/v1/compare", ids="zxq-vault,garden"), "Quillfeather Institute"),
    ("POST", {"url": "/api/v1/ask", "json": {"question": "Who pays for the zorbulation?"}}, "plumbago"),
    ("GET", get("/api/v1/ask/stream", question="Who pays for the zorbulation?"), "plumbago"),
    ("GET", get("/", q="zorbulation"), "internal"),
    ("GET", get("/", country="JP"), "zorbulation vault"),
    ("GET", get("/documents/zxq-vault"), '<span class="badge">internal</span>'),
    ("GET", get("/documents/letters"), "edition 2023"),
    ("GET", get("/export.csv", q="zorbulation"), "internal"),
    ("GET", get("/export.json"), '"visibility": "internal"'),
    ("GET", get("/export.bib"), "visibility: internal"),
    ("GET", get("/export.ris"), "visibility: internal"),
    ("GET", get("/map"), "Japan"),
    ("GET", get("/compare", ids="zxq-vault"), "Quillfeather"),
    ("GET", get("/desk/gaps"), "zxq-vault"),
    ("GET", get("/desk/judge", q="zorbulation"), "zxq-vault"),
]


@pytest.mark.parametrize(("method", "request_of", "shown"), SHOWING, ids=lambda value: str(value)[:50])
def test_who_may_read_them_sees_them_everywhere_but_not_those_of_another_label(
    services: Services,
    reads: Callable[[frozenset[str] | None], None],
    method: str,
    request_of: dict[str, Any],
    shown: str,
) -> None:
    reads(INTERNAL)
    internal = send(services.whole, method, request_of, []).text
    assert shown in internal
    assert BOARD_ID not in internal
    reads(PUBLIC)
    assert shown not in send(services.whole, method, request_of, []).text


def test_an_editor_reads_all(services: Services, reads: Callable[[frozenset[str] | None], None]) -> None:
    reads(None)
    listed = services.whole.get("/api/v1/documents").json()
    assert {one["id"]: one["visibility"] for one in listed["documents"]} == {
        **dict.fromkeys(PUBLIC_IDS, ""),
        **dict.fromkeys(INTERNAL_IDS, "internal"),
        BOARD_ID: "board",
    }
    assert "only for board" in services.whole.get(f"/documents/{BOARD_ID}").text


def test_a_saved_search_made_by_who_reads_more_tells_others_nothing(
    services: Services, reads: Callable[[frozenset[str] | None], None]
) -> None:
    reads(INTERNAL)
    services.whole.cookies.clear()
    services.whole.post("/saved", data={"search": "/?q=zorbulation"})
    (token,) = tokens_of(services.whole)
    assert "zxq-vault" in services.whole.get(f"/saved/{token}/feed").text
    reads(PUBLIC)
    services.whole.cookies.clear()
    assert "zxq" not in services.whole.get(f"/saved/{token}/feed").text


def test_what_editors_decided_about_closed_documents_is_told_to_nobody_else(
    services: Services, reads: Callable[[frozenset[str] | None], None]
) -> None:
    reads(None)
    decision = {"verdict": "part", "document_id": "bakers-again", "other_ids": ["zxq-bakers", "zxq-vault"]}
    assert services.whole.post("/api/v1/duplicates", json=decision).status_code == 200
    try:
        for address in ("/api/v1/duplicates", "/desk/duplicates"):
            reads(None)
            assert "zxq-vault" in services.whole.get(address).text
            reads(PUBLIC)
            assert "zxq" not in services.whole.get(address).text
    finally:  # other tests compare the two services
        reads(None)
        services.whole.post("/api/v1/duplicates", json=decision | {"verdict": "undo"})


def test_visitors_in_turn_each_see_their_own(services: Services, reads: Callable[[frozenset[str] | None], None]) -> None:
    """What is kept between requests is kept for each of them."""
    questions = [{"question": question} for question in QUESTIONS[:2]]
    first: dict[frozenset[str] | None, list[str]] = {}
    for labels in (None, PUBLIC, INTERNAL, PUBLIC, None, INTERNAL):
        reads(labels)
        answers = [services.whole.post("/api/v1/ask", json=asked).json() for asked in questions]
        spelled = services.whole.get("/api/v1/search", params={"q": "zorbulaton", "as_typed": "false"}).json()
        told = [json.dumps(one | {"took_ms": 0}) for one in (*answers, spelled)]
        assert first.setdefault(labels, told) == told
    assert len({tuple(told) for told in first.values()}) == 3
