"""People sign in with their organisation's account; what is not proven, or not for this service, opens nothing."""

import logging
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from doors import House
from joserfc.jwk import ECKey, OctKey
from oidc_provider import CLIENT_ID, CLIENT_SECRET, OidcProvider
from pydantic import SecretStr
from starlette.testclient import TestClient

from pes_search.service.access.oidc import provider_of, visitor_from
from pes_search.service.engine import Engine
from pes_search.service.settings import AccessConfig, OidcConfig, SettingsError

PAGE = "/documents/de-power-m"
ROLES = {"pes-readers": "reader", "pes-editors": "editor"}


@pytest.fixture(scope="module")
def running() -> Iterator[OidcProvider]:
    provider = OidcProvider()
    yield provider
    provider.close()


@pytest.fixture
def provider(running: OidcProvider) -> OidcProvider:
    """The provider, without what another test changed."""
    running.claims = {"sub": "anna", "name": "Anna Muster", "roles": ["pes-readers"]}
    running.token_claims, running.metadata, running.sign_with, running.token_error = {}, {}, None, ""
    running.codes.clear()
    running.asked.clear()
    return running


def house_of(provider: OidcProvider, engine: Engine, folder: Path, **values: Any) -> House:
    config = {
        "issuer": provider.issuer,
        "client_id": CLIENT_ID,
        "client_secret": SecretStr(CLIENT_SECRET),
        "roles": ROLES,
        "reads": {"pes-staff": ("internal",)},
        **values,
    }
    return House(engine, folder, access=AccessConfig(hosts=("testserver",), open=False, oidc=OidcConfig(**config)))


@pytest.fixture
def house(provider: OidcProvider, engine: Engine, tmp_path: Path) -> House:
    return house_of(provider, engine, tmp_path)


def begin(client: TestClient, next: str = PAGE) -> str:  # noqa: A002
    """Begin a sign-in, let the organisation sign the visitor in, and return the address that it sends them back to."""
    sent = client.get("/sign-in/account", params={"next": next})
    assert sent.status_code == 303, sent.text
    back = httpx2.get(sent.headers["location"])
    assert back.status_code == 302
    address = urlsplit(back.headers["location"])
    assert (address.netloc, address.path) == ("testserver", "/sign-in/callback")
    return f"{address.path}?{address.query}"


def refusal(client: TestClient, address: str) -> tuple[int, str]:
    """Return status and complaint of an answer that signs nobody in."""
    response = client.get(address)
    assert "pes_session" not in response.headers.get("set-cookie", "")
    assert client.get(PAGE).status_code == 303
    told = response.text.partition('role="alert" id="wrong">')[2].partition("<")[0]
    return response.status_code, told


def test_who_has_an_account_with_a_role_is_signed_in(house: House, caplog: pytest.LogCaptureFixture) -> None:
    assert house.client.get(PAGE).headers["location"].startswith("/sign-in?next=")
    assert "/sign-in/account?next=%2Fdocuments%2Fde-power-m" in house.client.get("/sign-in", params={"next": PAGE}).text
    sent = house.client.get("/sign-in/account", params={"next": PAGE})
    asked = {name: values[0] for name, values in parse_qs(urlsplit(sent.headers["location"]).query).items()}
    assert asked["response_type"] == "code"
    assert (asked["client_id"], asked["redirect_uri"]) == (CLIENT_ID, "http://testserver/sign-in/callback")
    assert (asked["code_challenge_method"], asked["scope"]) == ("S256", "openid profile")
    assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 20
    with caplog.at_level(logging.INFO, "pes_search"):
        done = house.client.get(begin(house.client))
    assert (done.status_code, done.headers["location"]) == (303, PAGE)
    assert "Anna Muster" in house.client.get(PAGE).text
    assert house.client.get("/desk").status_code == 303  # a reader
    assert [record.getMessage() for record in caplog.records if record.name.startswith("pes_search.service.access")] == [
        "account:anna (reader) signed in from 192.0.2.1"
    ]
    token = house.client.cookies["pes_session"]
    house.client.post("/sign-out")
    assert house.browser().get(PAGE, headers={"Cookie": f"pes_session={token}"}).status_code == 303


@pytest.mark.parametrize(("claims", "desk"), [(["pes-readers", "pes-editors"], 200), ("pes-editors", 200), (["x", 3], 303)])
def test_the_most_that_an_account_may_counts(
    claims: Any, desk: int, provider: OidcProvider, engine: Engine, tmp_path: Path
) -> None:
    house = house_of(provider, engine, tmp_path, default_role="reader")
    provider.claims["roles"] = claims
    assert house.client.get(begin(house.client)).status_code == 303
    assert (house.client.get(PAGE).status_code, house.client.get("/desk/upload").status_code) == (200, desk)


@pytest.mark.parametrize("roles", [[], ["others"], None, 3, {"a": "pes-editors"}, "pes-editors,pes-readers"])
def test_an_account_without_a_role_is_refused(roles: Any, provider: OidcProvider, house: House) -> None:
    provider.claims["roles"] = roles
    assert refusal(house.client, begin(house.client)) == (403, "Your account may not use this service. Ask whoever runs it.")


NOT_PROVEN = (403, "Your organisation’s sign-in could not be verified. Please begin again.")
NOW = int(time.time())


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"exp": NOW - 3_600, "iat": NOW - 7_200},
        {"exp": None},
        {"iat": None},
        {"nbf": NOW + 3_600},
        {"aud": "another"},
        {"aud": None},
        {"aud": ["another", "third"], "azp": CLIENT_ID},
        {"aud": [CLIENT_ID, "another"], "azp": "another"},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"sub": None},
        {"at_hash": "wrong"},
    ],
    ids=lambda claims: "-".join(claims),  # without the times, which two processes have differently
)
def test_a_token_that_is_not_for_this_sign_in_opens_nothing(
    claims: dict[str, Any], provider: OidcProvider, house: House
) -> None:
    provider.token_claims = claims
    assert refusal(house.client, begin(house.client)) == NOT_PROVEN


@pytest.mark.parametrize(
    "key",
    [
        ECKey.generate_key("P-256", {"kid": "one", "use": "sig", "alg": "ES256"}),
        OctKey.import_key(CLIENT_SECRET),
        "none",
    ],
    ids=["another key", "the client's secret", "none"],
)
def test_a_token_that_somebody_else_signed_opens_nothing(key: Any, provider: OidcProvider, house: House) -> None:
    provider.sign_with = key
    assert refusal(house.client, begin(house.client)) == NOT_PROVEN


def test_a_code_that_the_organisation_refuses_opens_nothing(provider: OidcProvider, house: House) -> None:
    address = begin(house.client)
    provider.token_error = "invalid_grant"
    assert refusal(house.client, address) == NOT_PROVEN


NOT_BEGUN = (400, "This sign-in was not begun here, or took too long. Please begin again.")


def test_an_answer_counts_once(house: House, provider: OidcProvider) -> None:
    address = begin(house.client)
    waiting = house.client.cookies["pes_sign_in"]
    assert house.client.get(address).status_code == 303
    again = house.browser()
    again.cookies.set("pes_sign_in", waiting)
    asked = len(provider.asked)
    assert refusal(again, address) == NOT_BEGUN
    assert len(provider.asked) == asked  # the organisation is not even asked


def test_an_answer_counts_for_the_browser_that_asked(house: House) -> None:
    """Nobody is signed in with the account of who sent them a link."""
    address = begin(house.client)
    victim = house.browser()
    assert refusal(victim, address) == NOT_BEGUN
    begin(victim)
    assert refusal(victim, address) == NOT_BEGUN
    assert house.client.get(address).status_code == 303  # and the sign-in of who began it goes on


@pytest.mark.parametrize("change", ["state=x", "state=", "iss=https%3A%2F%2Fevil.example", "code="])
def test_an_answer_that_was_changed_opens_nothing(change: str, house: House) -> None:
    path, _, query = begin(house.client).partition("?")
    name = change.partition("=")[0]
    parts = [change if part.startswith(name + "=") else part for part in query.split("&")]
    assert refusal(house.client, f"{path}?{'&'.join(parts)}") == (NOT_BEGUN if name == "state" else NOT_PROVEN)


def test_what_the_organisation_refuses_is_told(house: House) -> None:
    sent = house.client.get("/sign-in/account")
    state = parse_qs(urlsplit(sent.headers["location"]).query)["state"][0]
    assert refusal(house.client, f"/sign-in/callback?state={state}&error=access_denied") == NOT_PROVEN
    assert refusal(house.client, "/sign-in/callback") == NOT_BEGUN


def test_answers_that_belong_to_nothing_are_counted(house: House) -> None:
    statuses = [house.client.get(f"/sign-in/callback?state={number}&code=x").status_code for number in range(12)]
    assert statuses == [400] * 10 + [429] * 2


@pytest.mark.parametrize("address", ["//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nb"])
def test_it_leads_nowhere_else(address: str, house: House) -> None:
    done = house.client.get(begin(house.client, next=address))
    assert (done.status_code, done.headers["location"]) == (303, "/")


def test_another_site_begins_no_sign_in(house: House, provider: OidcProvider) -> None:
    response = house.client.get("/sign-in/account", headers={"Sec-Fetch-Site": "cross-site"})
    assert response.headers["location"] == "/sign-in"
    assert provider.asked == []


@pytest.mark.parametrize("metadata", [{"issuer": "https://evil.example"}, {"issuer": None}])
def test_another_organisations_service_is_not_asked(metadata: dict[str, Any], provider: OidcProvider, house: House) -> None:
    provider.metadata = metadata
    response = house.client.get("/sign-in/account")
    assert (response.status_code, "cannot be reached at the moment" in response.text) == (503, True)
    provider.metadata = {}
    assert house.client.get("/sign-in/account").status_code == 303  # asked again


def test_a_service_that_does_not_answer_is_told(engine: Engine, tmp_path: Path, provider: OidcProvider) -> None:
    provider.issuer, right = "http://127.0.0.1:9", provider.issuer
    house = house_of(provider, engine, tmp_path)
    provider.issuer = right
    response = house.client.get("/sign-in/account")
    assert (response.status_code, "cannot be reached at the moment" in response.text) == (503, True)
    assert house.client.get("/sign-in").status_code == 200  # keys work all the same


def test_other_settings_end_the_sessions_of_accounts(
    house: House, provider: OidcProvider, engine: Engine, tmp_path: Path
) -> None:
    house.client.get(begin(house.client))
    token = house.client.cookies["pes_session"]

    def opens(other: House) -> bool:
        return other.browser().get(PAGE, headers={"Cookie": f"pes_session={token}"}).status_code == 200

    assert opens(house_of(provider, engine, tmp_path))
    assert not opens(house_of(provider, engine, tmp_path, roles={"pes-readers": "editor"}))
    assert not opens(house_of(provider, engine, tmp_path, issuer=None))


def test_claims_become_a_visitor() -> None:
    config = OidcConfig(roles_claim="realm_access.roles", roles={"e": "editor", "r": "reader"}, reads={"r": ("internal",)})
    reader = visitor_from({"sub": "1\n2", "realm_access": {"roles": ["r", "x"]}, "name": " "}, config, "account:")
    assert reader is not None
    assert (reader.role, reader.reads, reader.key_id, reader.name) == ("reader", frozenset({"internal"}), "account:12", "12")
    editor = visitor_from({"sub": "1", "realm_access": {"roles": ["r", "e"]}, "email": "a@b.eu"}, config, "account:")
    assert editor is not None
    assert (editor.role, editor.reads, editor.name) == ("editor", None, "a@b.eu")
    assert visitor_from({"sub": "", "realm_access": {"roles": ["r"]}}, config, "") is None
    assert visitor_from({"sub": "1", "realm_access": "r"}, config, "") is None


def test_without_the_extra_the_message_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "authlib.integrations.starlette_client", None)
    with pytest.raises(SettingsError, match=r"pip install 'pes-search\[oidc\]'"):
        provider_of(OidcConfig(issuer="https://login.example.org"))
    assert provider_of(OidcConfig()) is None
