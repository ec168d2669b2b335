"""Signing in with a key and out again: sessions that end at once, and nothing that a stranger could make of the forms."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from doors import House, bearer
from pydantic import SecretStr
from starlette.testclient import TestClient

from pes_search.service.access.attempts import ADDRESS_ATTEMPTS
from pes_search.service.engine import Engine
from pes_search.service.records.sessions import SESSION_SECONDS
from pes_search.service.settings import AccessConfig, DeskConfig

DESK_KEY = "a long enough editor's key"
PAGE = "/documents/de-power-m"


@pytest.fixture
def house(engine: Engine, tmp_path: Path) -> House:
    return House(engine, tmp_path)


def sign_in(client: TestClient, key: str, **fields: str) -> str:
    """Sign in and return the session's token."""
    response = client.post("/sign-in", data={"key": key, **fields})
    assert response.status_code == 303, response.text
    return str(client.cookies["pes_session"])


def opens(house: House, token: str, path: str = PAGE, name: str = "pes_session") -> bool:
    """Tell whether a token opens a page, in a browser of its own."""
    response = house.browser().get(path, headers={"Cookie": f"{name}={token}"})
    assert response.status_code in {200, 303}
    return response.status_code == 200


def test_a_stranger_is_sent_to_the_sign_in_and_back(house: House) -> None:
    key = house.key("reader", name="Press & <Office>")
    sent = house.client.get(PAGE + "?passage=x&start=1")
    assert (sent.status_code, sent.headers["location"]) == (303, "/sign-in?next=" + quote(PAGE + "?passage=x&start=1", safe=""))
    page = house.client.get(sent.headers["location"])
    assert 'name="next" value="/documents/de-power-m?passage=x&amp;start=1"' in page.text
    done = house.client.post("/sign-in", data={"key": f" {key}\n", "next": PAGE + "?passage=x&start=1"})
    assert (done.status_code, done.headers["location"]) == (303, PAGE + "?passage=x&start=1")
    shown = house.client.get(PAGE)
    assert shown.status_code == 200
    assert "Press &amp; &lt;Office&gt;" in shown.text  # who is signed in
    assert 'action="/sign-out"' in shown.text
    assert 'action="/sign-out"' not in house.browser().get("/about").text


def test_the_cookie_is_for_this_service_alone(engine: Engine, tmp_path: Path) -> None:
    house = House(engine, tmp_path)
    made = house.client.post("/sign-in", data={"key": house.key("reader")}).headers["set-cookie"]
    assert made.startswith("pes_session=")
    for part in ("HttpOnly", f"Max-Age={SESSION_SECONDS}", "Path=/", "SameSite=lax"):
        assert part in made
    assert "Domain" not in made
    assert "Secure" not in made
    for other in (
        House(engine, tmp_path, base_url="https://testserver"),
        House(engine, tmp_path, access=AccessConfig(hosts=("testserver",), url="https://search.example.org")),
    ):
        made = other.client.post("/sign-in", data={"key": other.key("reader")}).headers["set-cookie"]
        assert made.startswith("__Host-pes_session=")  # which no other site of the domain can set
        assert "Secure" in made


def test_who_signs_out_is_out_wherever_the_cookie_was_copied_to(house: House) -> None:
    token = sign_in(house.client, house.key("editor"))
    other = sign_in(house.browser(), house.key("editor"))
    assert opens(house, token, "/desk/upload")
    out = house.client.post("/sign-out")
    assert (out.status_code, out.headers["location"]) == (303, "/")
    assert 'pes_session="";' in out.headers["set-cookie"]
    assert not opens(house, token)
    assert opens(house, other)


def test_a_session_ends_with_its_key(house: House, tmp_path: Path) -> None:
    key, text = house.records.keys.add("editor")
    token = sign_in(house.client, text)
    house.records.keys.revoke(key.id)
    assert not opens(house, token)
    key, text = house.records.keys.add("editor")
    token = sign_in(house.browser(), text)
    with closing(sqlite3.connect(tmp_path / "pes.sqlite3")) as connection, connection:
        connection.execute("UPDATE keys SET role = 'reader' WHERE id = ?", (key.id,))
    assert not opens(house, token)
    key, text = house.records.keys.add("reader")
    token = sign_in(house.browser(), text)
    with closing(sqlite3.connect(tmp_path / "pes.sqlite3")) as connection, connection:
        connection.execute("UPDATE keys SET expires = '2020-01-01T00:00:00+00:00' WHERE id = ?", (key.id,))
    assert not opens(house, token)


@pytest.mark.parametrize(
    ("passed", "is_open"),
    [
        (timedelta(seconds=SESSION_SECONDS - 60), True),
        (timedelta(seconds=SESSION_SECONDS + 1), False),
        (timedelta(days=-1), False),  # a clock that was put back makes no session longer
        (timedelta(seconds=-60), True),
    ],
)
def test_a_session_lasts_half_a_day(house: House, passed: timedelta, is_open: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    token = sign_in(house.client, house.key("reader"))
    monkeypatch.setattr(house.app.state.access.credentials, "_now", lambda: datetime.now(UTC) + passed)
    assert opens(house, token) == is_open


def test_the_desks_key_signs_an_editor_in_and_a_new_one_ends_that(engine: Engine, tmp_path: Path) -> None:
    def with_key(key: str) -> House:
        return House(engine, tmp_path, desk=DeskConfig(key=SecretStr(key), uploads=tmp_path))

    house = with_key(DESK_KEY)
    token = sign_in(house.client, DESK_KEY)
    assert opens(house, token, "/desk/upload")
    assert opens(with_key(DESK_KEY), token, "/desk/upload")  # after a restart too
    assert not opens(with_key(DESK_KEY + "2"), token)
    assert all(DESK_KEY.encode() not in file.read_bytes() for file in tmp_path.glob("pes.sqlite3*"))


def test_a_reader_is_told_that_the_desk_needs_more(house: House) -> None:
    sign_in(house.client, house.key("reader"))
    sent = house.client.get("/desk")
    assert sent.headers["location"] == "/sign-in?next=%2Fdesk"
    assert "needs a key that allows more than yours" in house.client.get(sent.headers["location"]).text
    assert house.client.post("/desk/judge", data={"q": "x"}).headers["location"] == "/sign-in?next=%2Fdesk"
    assert house.client.post("/api/v1/duplicates", json={}).status_code == 403


def test_signing_in_takes_no_session_that_was_there_before(house: House) -> None:
    """Whoever put a cookie into somebody's browser must not be signed in with them."""
    key = house.key("reader")
    house.client.cookies.set("pes_session", "planted")
    response = house.client.post("/sign-in", data={"key": key})
    assert response.status_code == 303
    assert response.cookies["pes_session"] != "planted"
    assert not opens(house, "planted")
    before = response.cookies["pes_session"]
    house.client.cookies.clear()
    again = house.client.post("/sign-in", data={"key": key}, headers={"Cookie": f"pes_session={before}"})
    assert again.cookies["pes_session"] != before
    assert not opens(house, before)  # the one that is replaced ends


LEADS_ELSEWHERE = [
    "//evil.example", "https://evil.example", "/\\evil.example", "/\t/evil.example", "javascript:alert(1)", "\\\\evil.example",
    "/x\r\nSet-Cookie: a=b", "/x\nLocation: https://evil.example", "", " //evil.example", "/\u2028x",
]  # fmt: skip


@pytest.mark.parametrize("address", LEADS_ELSEWHERE)
def test_signing_in_leads_nowhere_else(house: House, address: str) -> None:
    done = house.client.post("/sign-in", data={"key": house.key("reader"), "next": address})
    assert (done.status_code, done.headers["location"]) == (303, "/")
    assert len(done.headers.get_list("set-cookie")) == 1
    shown = house.browser().get("/sign-in", params={"next": address})
    assert 'name="next" value="/"' in shown.text
    old = house.browser().get("/desk/sign-in", params={"next": address})
    assert (old.status_code, old.headers["location"][:14]) == (308, "/sign-in?next=")
    assert "\n" not in old.headers["location"]


def test_a_path_that_climbs_stays_on_the_service(house: House) -> None:
    done = house.client.post("/sign-in", data={"key": house.key("reader"), "next": "/../../desk"})
    assert done.headers["location"] == "/../../desk"  # a browser asks this service for /desk
    assert house.client.get("/../../desk").status_code in {303, 404}


def test_markup_in_next_is_text(house: House) -> None:
    page = house.client.get("/sign-in", params={"next": '/"><script>alert(1)</script>'}).text
    assert "<script>alert" not in page
    sent = house.client.get('/x"><script>alert(1)</script>')
    assert sent.headers["location"].startswith("/sign-in?next=%2Fx%22%3E%3Cscript")


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}])
def test_another_site_signs_nobody_in_or_out(house: House, headers: dict[str, str]) -> None:
    token = sign_in(house.client, house.key("reader"))
    assert house.client.post("/sign-out", headers=headers).status_code == 403
    assert opens(house, token)
    assert house.browser().post("/sign-in", data={"key": house.key("admin")}, headers=headers).status_code == 403
    assert house.client.get("/sign-out").status_code == 405  # no picture of another site signs anybody out


def test_wrong_keys_are_counted_on_the_page(house: House) -> None:
    key = house.key("reader")
    for _ in range(ADDRESS_ATTEMPTS):
        wrong = house.client.post("/sign-in", data={"key": "guess"})
        assert (wrong.status_code, "This is no key of this service" in wrong.text) == (403, True)
    limited = house.client.post("/sign-in", data={"key": "guess"})
    assert (limited.status_code, "Too many wrong keys" in limited.text) == (429, True)
    assert int(limited.headers["retry-after"]) > 0
    assert house.client.get(PAGE, headers=bearer("guess")).status_code == 429
    sign_in(house.client, key)


def test_a_forged_session_opens_nothing(house: House) -> None:
    house.key("admin")
    for token in ("", "x", "0" * 43, "'", "\x00", "é", "a" * 4_000):
        response = house.browser().get(PAGE, headers={"Cookie": f"pes_session={token}".encode()})  # type: ignore[dict-item]
        assert response.status_code in {303, 400}


def test_the_page_that_is_asked_for_by_the_script_is_refused_plainly(house: House) -> None:
    house.key("reader")
    response = house.client.post("/feedback", data={"about": "hit"}, headers={"Pes-Part": "thanks"})
    assert response.status_code == 401  # so that no sign-in page is put into the page
