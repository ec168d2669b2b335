"""Every request goes through one door: what is not listed as open is closed, and roles open as much as they say."""

import base64
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from doors import House, bearer
from fastapi import Request
from pydantic import SecretStr
from starlette.routing import BaseRoute, Mount
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from pes_search.service.access.attempts import ADDRESS_ATTEMPTS, ALL_ATTEMPTS
from pes_search.service.access.visitor import visitor_of
from pes_search.service.api.guard import OPEN_FOLDERS, OPEN_PATHS
from pes_search.service.engine import Engine
from pes_search.service.settings import AccessConfig, DeskConfig

READ = "/api/v1/documents/de-power-m"
DESK_KEY = "a long enough editor's key"


@pytest.fixture
def closed(engine: Engine, tmp_path: Path) -> House:
    house = House(engine, tmp_path)
    house.key("admin")
    return house


@pytest.fixture
def laptop(engine: Engine, tmp_path: Path) -> House:
    return House(engine, tmp_path, access=AccessConfig(hosts=("testserver",)))


# ── Every route ─────────────────────────────────────────────────────────────────────────────────────────────────────


def calls(routes: list[BaseRoute]) -> Iterator[tuple[str, str]]:
    """Yield method and path of every route, however deep it is included."""
    for route in routes:
        inner = getattr(route, "routes", None) or getattr(getattr(route, "original_router", None), "routes", None)
        if isinstance(route, Mount):
            yield "GET", route.path + "/style.css"
        elif inner:
            yield from calls(inner)
        else:
            path = re.sub(r"{[^}]*}", "x", getattr(route, "path", ""))
            yield from ((method, path) for method in sorted(getattr(route, "methods", None) or {"GET"}))


def is_open(path: str) -> bool:
    return path in OPEN_PATHS | {"/healthz", "/readyz"} or path.startswith(OPEN_FOLDERS)


def test_every_route_is_listed_as_open_or_closed(closed: House) -> None:
    found = set(calls(closed.app.routes))
    paths = {path for _, path in found}
    described = set(closed.app.openapi()["paths"])
    assert {re.sub(r"{[^}]*}", "x", path) for path in described} <= paths  # none is missed
    assert {"/", "/desk", "/saved/x/feed", "/api/v1/ask", "/openapi.json", "/static/style.css", "/sign-in"} <= paths
    assert len(found) > 40
    for method, path in sorted(found):
        if is_open(path):
            assert closed.client.request(method, path).status_code not in {401, 421}, (method, path)
            continue
        response = closed.client.request(method, path)
        if response.status_code == 303:
            assert response.headers["location"].startswith("/sign-in?next=%2F"), (method, path)
        else:
            assert (response.status_code, response.headers["www-authenticate"][:6]) == (401, "Bearer"), (method, path)
            assert response.headers["content-type"] == "application/problem+json"
        assert method not in response.text or method == "GET"
        assert "power_m" not in response.text


def test_a_new_route_is_closed(engine: Engine, tmp_path: Path) -> None:
    house = House(engine, tmp_path)
    house.app.add_api_route("/new", lambda: "secret")
    house.app.add_api_route("/api/v1/new", lambda: "secret", methods=["GET", "PUT"])
    assert house.client.get("/new").status_code == 303
    assert house.client.get("/api/v1/new").status_code == 401
    reader = bearer(house.key("reader"))
    assert house.client.get("/api/v1/new", headers=reader).json() == "secret"
    assert house.client.put("/api/v1/new", headers=reader).status_code == 403  # what changes something is an editor's
    assert house.client.put("/api/v1/new", headers=bearer(house.key("editor"))).json() == "secret"


@pytest.mark.parametrize(
    "path", ["/nowhere", "/static/../desk", "/static/%2e%2e/desk", "//desk", "/sign-in/../desk", "/%64esk", "/desk/", "/DESK"]
)
def test_no_spelling_of_a_path_leads_around_the_door(closed: House, path: str) -> None:
    response = closed.client.get(path)
    assert response.status_code in {303, 404, 307}, path
    assert "Overview" not in response.text


def test_websockets_are_refused(closed: House) -> None:
    with pytest.raises(WebSocketDisconnect) as refused_with, closed.client.websocket_connect("/"):
        pass
    assert refused_with.value.code == 1008


# ── Roles ───────────────────────────────────────────────────────────────────────────────────────────────────────────

PART = {"verdict": "part", "document_id": "de-power-m", "other_ids": ["pl-kfs"]}


@pytest.mark.parametrize(("role", "desk", "decision"), [("reader", 303, 403), ("editor", 200, 200), ("admin", 200, 200)])
def test_a_role_opens_as_much_as_it_says(closed: House, role: str, desk: int, decision: int) -> None:
    given = bearer(closed.key(role))
    assert closed.client.get(READ, headers=given).status_code == 200
    assert closed.client.get("/about", headers=given).status_code == 200
    assert closed.client.get("/desk/upload", headers=given).status_code == desk
    assert closed.client.post("/api/v1/duplicates", json=PART, headers=given).status_code == decision
    if decision == 403:
        told = closed.client.post("/api/v1/duplicates", json=PART, headers=given).json()
        assert told["detail"] == "this key is one of a reader; an editor's is needed"


def test_what_a_visitor_may_read_is_known_to_routes(engine: Engine, tmp_path: Path) -> None:
    house = House(engine, tmp_path)

    def who(request: Request) -> list[Any]:
        visitor = visitor_of(request)
        return [visitor.role, None if visitor.reads is None else sorted(visitor.reads)]

    house.app.add_api_route("/api/who", who)
    house.app.add_api_route("/sign-in/who", who)
    for role, reads, known in (
        ("reader", [], []),
        ("reader", ["internal"], ["internal"]),
        ("editor", [], None),
        ("admin", [], None),
    ):
        assert house.client.get("/api/who", headers=bearer(house.key(role, reads=reads))).json() == [role, known]
    assert house.client.get("/sign-in/who").status_code == 401  # open to all, and asks all the same who it is


@pytest.mark.parametrize(
    "given",
    ["", "pes_" + "0" * 64, "pes_", "\u00e9".encode("latin-1").decode("latin-1"), "x" * 9_000, "' OR 1=1 --", "null"],
)
def test_a_wrong_key_opens_nothing_even_where_all_may_read(laptop: House, given: str) -> None:
    laptop.key("admin")
    assert laptop.client.get(READ).status_code == 200
    response = laptop.client.get(READ, headers={"Authorization": f"Bearer {given}".encode("latin-1")})  # type: ignore[dict-item]
    assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")
    assert laptop.client.get("/healthz", headers=bearer("wrong")).status_code == 200


def test_a_revoked_or_expired_key_opens_nothing_from_the_next_request_on(closed: House) -> None:
    key, text = closed.records.keys.add("reader")
    assert closed.client.get(READ, headers=bearer(text)).status_code == 200
    closed.records.keys.revoke(key.id)
    assert closed.client.get(READ, headers=bearer(text)).status_code == 401
    assert closed.client.get(READ, headers=bearer(closed.key("reader", days=-1))).status_code == 401


def test_a_feed_takes_the_key_as_a_password(closed: House) -> None:
    text = closed.key("reader")
    saved = closed.records.saved_searches.save(owner="o", name="n", query="", filters={"country": ["HR"]})
    feed = f"/saved/{saved.token}/feed"
    refused = closed.client.get(feed)
    assert (refused.status_code, refused.headers["www-authenticate"]) == (
        401,
        'Bearer, Basic realm="pes-search", charset="UTF-8"',
    )
    assert closed.client.get(feed, headers=bearer(text)).status_code == 200
    assert closed.client.get(feed, auth=("anybody", text)).status_code == 200
    assert closed.client.get(feed, auth=("anybody", text + "0")).status_code == 401
    # A password for the proxy in front is nobody's key.
    assert closed.client.get(feed, auth=("anybody", "secret")).status_code == 401
    for odd in ("Basic", "Basic !!!", "Basic " + base64.b64encode(b"\xff:\xff").decode(), "Digest x", "Bearer"):
        assert closed.client.get(feed, headers={"Authorization": odd}).status_code == 401


def test_the_desks_key_is_one_of_an_editor(engine: Engine, tmp_path: Path) -> None:
    house = House(engine, tmp_path, desk=DeskConfig(key=SecretStr(DESK_KEY), uploads=tmp_path))
    assert house.client.get(READ).status_code == 401
    assert house.client.get("/desk/upload", headers=bearer(DESK_KEY)).status_code == 200
    assert house.client.get("/desk/upload", headers=bearer(DESK_KEY + "x")).status_code == 401


# ── Without keys ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_whoever_sits_at_the_machine_may_do_everything_as_long_as_there_are_no_keys(laptop: House) -> None:
    assert laptop.client.get("/desk/upload").status_code == 200
    assert "/sign-in" not in laptop.client.get("/about").text
    key = laptop.records.keys.add("admin")[0]
    assert laptop.client.get("/desk/upload").status_code == 303
    assert laptop.client.get(READ).status_code == 200
    laptop.records.keys.revoke(key.id)  # the last key does not open the desk to everybody
    assert laptop.client.get("/desk/upload").status_code == 303


@pytest.mark.parametrize(
    "header", ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "x-forwarded-proto", "Via", "X-Real-IP"]
)
def test_what_a_proxy_passes_on_is_nobody_at_the_machine(laptop: House, header: str) -> None:
    for path in ("/desk", READ, "/"):
        response = laptop.client.get(path, headers={header: "127.0.0.1"})
        assert response.status_code == 403
        assert "pes keys add --role admin" in response.text
        assert "pes serve --open" in response.text
    assert laptop.client.get("/healthz", headers={header: "127.0.0.1"}).status_code == 200
    given = bearer(laptop.key("reader"))
    assert (
        laptop.client.get(READ, headers={header: "127.0.0.1"}).status_code == 401
    )  # of this machine only is it open by itself
    assert laptop.client.get(READ, headers={header: "127.0.0.1", **given}).status_code == 200


def test_said_to_be_open_it_lets_everybody_read_and_nobody_edit(engine: Engine, tmp_path: Path) -> None:
    house = House(engine, tmp_path, access=AccessConfig(hosts=("testserver",), open=True))
    for headers in ({}, {"X-Forwarded-For": "192.0.2.1"}):
        assert house.client.get(READ, headers=headers).status_code == 200
        assert house.client.get("/desk", headers=headers).status_code == 303
        assert house.client.post("/api/v1/duplicates", json=PART, headers=headers).status_code == 401


# ── Names, other sites, caches ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "testserver.evil.example",
        "testserver@evil.example",
        "",
        "127.0.0.1:99999999",
        'localhost:80"><script>',
        "a b",
    ],
)
@pytest.mark.parametrize("path", ["/", READ, "/sign-in", "/static/style.css"])
def test_by_another_name_it_does_not_answer(laptop: House, host: str, path: str) -> None:
    response = laptop.client.get(path, headers={"Host": host})
    assert response.status_code == 421
    assert "evil" not in response.text
    assert laptop.client.get("/healthz", headers={"Host": host}).status_code == 200


def test_two_names_are_none(laptop: House) -> None:
    headers = [("Host", "testserver"), ("Host", "evil.example")]
    assert laptop.client.get(READ, headers=headers).status_code == 421  # type: ignore[arg-type]


def test_links_that_leave_the_service_begin_with_its_address(engine: Engine, tmp_path: Path) -> None:
    access = AccessConfig(hosts=("testserver",), url="https://search.example.org/")
    house = House(engine, tmp_path, access=access)
    saved = house.records.saved_searches.save(owner="o", name="n", query="", filters={"country": ["HR"]})
    spoofed = {"X-Forwarded-Host": "evil.example", **bearer(house.key("reader"))}
    for path in (f"/saved/{saved.token}/feed", "/export.csv?country=HR"):
        text = house.client.get(path, headers=spoofed).text
        assert "https://search.example.org/documents/hr-" in text
        assert "testserver" not in text
        assert "evil" not in text
    own = House(engine, tmp_path, access=AccessConfig(hosts=("testserver",)))
    assert "http://testserver/documents/hr-" in own.client.get("/export.csv?country=HR").text
    assert own.client.get("/export.csv?country=HR", headers={"Host": "evil.example"}).status_code == 421


ELSEWHERE = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
]


@pytest.mark.parametrize("headers", ELSEWHERE)
def test_another_sites_page_changes_nothing_whatever_it_knows(laptop: House, headers: dict[str, str]) -> None:
    for method, path in sorted(set(calls(laptop.app.routes))):
        if method not in {"GET", "HEAD", "OPTIONS"}:
            assert laptop.client.request(method, path, headers=headers).status_code == 403, (method, path)


def test_no_cache_keeps_an_answer_for_another(laptop: House) -> None:
    for path in ("/", READ, "/export.csv?country=HR", "/openapi.json"):
        headers = laptop.client.get(path).headers
        assert headers["cache-control"] == "private, no-cache", path
        assert {"authorization", "cookie"} <= set(headers["vary"].lower().replace(" ", "").split(",")), path
    assert "authorization" not in laptop.client.get("/static/style.css").headers.get("vary", "").lower()


# ── Guessing ────────────────────────────────────────────────────────────────────────────────────────────────────────


def refused(client: TestClient, key: str) -> int:
    return client.get(READ, headers=bearer(key)).status_code


def test_who_guesses_is_slowed_and_a_made_key_is_not_locked_out(closed: House, caplog: pytest.LogCaptureFixture) -> None:
    text = closed.key("reader")
    guesser = closed.browser("203.0.113.9")
    with caplog.at_level(logging.INFO):
        answers = [refused(guesser, f"pes_{number:064x}") for number in range(ADDRESS_ATTEMPTS + 5)]
    assert answers == [401] * ADDRESS_ATTEMPTS + [429] * 5
    limited = guesser.get(READ, headers=bearer("pes_0"))
    assert limited.headers["content-type"] == "application/problem+json"
    assert 1 <= int(limited.headers["retry-after"]) <= 10
    assert guesser.post("/sign-in", data={"key": "pes_0"}).status_code == 429  # one count for both doors
    assert refused(guesser, text) == 200  # 256 random bits are not guessed, so nobody is locked out with them
    assert refused(closed.browser("203.0.113.10"), "pes_0") == 401
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("pes_search.service.access")]
    lines.remove("an unknown key was given from 203.0.113.10")
    assert lines == ["an unknown key was given from 203.0.113.9"] * ADDRESS_ATTEMPTS + [
        "too many wrong keys: those from 203.0.113.9 are not looked at for now"
    ]


def test_a_thought_up_key_is_not_even_compared_while_somebody_guesses(engine: Engine, tmp_path: Path) -> None:
    house = House(engine, tmp_path, desk=DeskConfig(key=SecretStr(DESK_KEY), uploads=tmp_path))
    guesser, editor = house.browser("203.0.113.9"), house.browser("198.51.100.7")
    assert refused(editor, DESK_KEY) == 200
    assert [refused(guesser, f"guess {number}") for number in range(ADDRESS_ATTEMPTS)] == [401] * ADDRESS_ATTEMPTS
    assert refused(guesser, DESK_KEY) == 429
    for number in range(ALL_ATTEMPTS):
        refused(house.browser(f"192.0.2.{number}"), "guess")
    assert refused(house.browser("192.0.2.250"), DESK_KEY) == 429  # a guess from many addresses is held back too
    assert refused(editor, DESK_KEY) == 200  # but not who was in before


def test_the_log_never_has_a_key(closed: House, caplog: pytest.LogCaptureFixture) -> None:
    key, text = closed.records.keys.add("editor")
    with caplog.at_level(logging.DEBUG, "pes_search"):
        closed.client.post("/sign-in", data={"key": text})
        closed.records.keys.revoke(key.id)
        refused(closed.client, text)
        refused(closed.client, "pes_wrong\nline")
    assert text not in caplog.text
    assert "pes_wrong" not in caplog.text
    messages = [record.getMessage() for record in caplog.records if record.name.startswith("pes_search.service.access")]
    assert messages[:2] == [
        f"key {key.id} (editor) signed in from 192.0.2.1",
        f"key {key.id}, which is revoked, was given from 192.0.2.1",
    ]


def test_a_database_that_cannot_be_read_closes_the_doors(
    closed: House, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = closed.key("admin")
    assert refused(closed.client, text) == 200
    for file in tmp_path.glob("pes.sqlite3*"):
        file.unlink()
    (tmp_path / "pes.sqlite3").write_bytes(b"no database" * 1_000)
    for headers in ({}, bearer(text)):
        response = closed.client.get(READ, headers=headers)
        assert response.status_code == 503
        assert str(tmp_path) not in response.text
    assert closed.client.get("/", headers={"Accept": "text/html"}).status_code == 503
    assert closed.client.get("/healthz").status_code == 200
    assert str(tmp_path) in caplog.text
    assert caplog.text.count("nobody is let in") == 1  # not a line for every request


# ── The description ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_description_says_how_keys_are_given(laptop: House) -> None:
    schema = laptop.client.get("/openapi.json").json()
    assert schema["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemOut"}}}
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            if path in {"/healthz", "/readyz"}:
                assert "security" not in operation
                continue
            is_change = (path, method) == ("/api/v1/duplicates", "post")
            assert operation["security"] == ([{"key": []}] if is_change else [{}, {"key": []}])
            for status in ("401", "403", "421", "429"):
                assert operation["responses"][status]["content"] == problem
