"""A service that others reach says who may come in, or does not start; and it answers to its own names only."""

import socket
from pathlib import Path
from typing import Any

import pytest
from kept import kept_in
from pydantic import SecretStr

from pes_search.service.access.opening import listening, opening_of
from pes_search.service.records.file import DatabaseError
from pes_search.service.records.records import open_records
from pes_search.service.settings import AccessConfig, DeskConfig, OidcConfig, Settings, SettingsError, read_settings


def settings(folder: Path, access: AccessConfig | None = None, **values: Any) -> Settings:
    return Settings(**{**kept_in(folder), "access": access or AccessConfig(), **values})


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "search.example.org", ""])
def test_where_others_reach_it_keys_are_wanted(host: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"`pes keys add --role admin`.*`pes serve --open`"):
        opening_of(settings(tmp_path), host)


@pytest.mark.parametrize(
    "values",
    [
        {"access": AccessConfig(open=True)},
        {"access": AccessConfig(oidc=OidcConfig(issuer="https://login.example.org"))},
        {"desk": DeskConfig(key=SecretStr("a long enough key"))},
    ],
)
def test_what_else_says_who_may_come_in(values: dict[str, Any], tmp_path: Path) -> None:
    opening = opening_of(settings(tmp_path, **values), "0.0.0.0")
    assert (opening.is_loopback, opening.is_open) == (False, values.get("access", AccessConfig()).open)


def test_a_key_opens_it_until_it_is_revoked(tmp_path: Path) -> None:
    own = settings(tmp_path)
    keys = open_records(own.database).keys
    key, _ = keys.add("admin")
    assert not opening_of(own, "0.0.0.0").is_loopback
    keys.revoke(key.id)
    with pytest.raises(SettingsError, match="has no keys"):
        opening_of(own, "0.0.0.0")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.9.10"])
def test_this_machine_alone_needs_nothing(host: str, tmp_path: Path) -> None:
    assert opening_of(settings(tmp_path), host).is_loopback


def test_keys_that_cannot_be_read_start_nothing(tmp_path: Path) -> None:
    (tmp_path / "pes.sqlite3").write_bytes(b"no database" * 1_000)
    with pytest.raises(DatabaseError, match="no database"):
        opening_of(settings(tmp_path), "127.0.0.1")


OWN = socket.gethostname()


@pytest.mark.parametrize(
    ("host", "access", "admitted", "refused"),
    [
        (
            "127.0.0.1",
            {},
            ["localhost", "LOCALHOST", "127.0.0.1", "[::1]", "localhost."],
            ["evil.example", "192.0.2.1", "localhost.evil.example", "127.0.0.1.evil.example", ""],
        ),
        ("127.0.0.1", {"hosts": ["Search.Example.org"]}, ["search.example.org", "localhost"], ["example.org", "192.0.2.1"]),
        ("127.0.0.1", {"url": "https://search.example.org:8443"}, ["search.example.org"], ["evil.example"]),
        ("0.0.0.0", {}, ["192.0.2.1", "[2001:db8::1]", OWN, "localhost"], ["evil.example", "[evil]", "192.0.2.1.example"]),
        ("0.0.0.0", {"hosts": ["search.example.org"]}, ["search.example.org", "127.0.0.1"], ["192.0.2.1", "evil.example"]),
        ("192.0.2.1", {}, ["192.0.2.1"], ["evil.example"]),
        ("2001:db8::1", {"hosts": ["a"]}, ["[2001:db8::1]", "a"], ["[2001:db8::2]"]),
    ],
)
def test_it_answers_to_its_own_names(
    host: str, access: dict[str, Any], admitted: list[str], refused: list[str], tmp_path: Path
) -> None:
    opening = listening(settings(tmp_path, AccessConfig(**access)), host)
    assert [name for name in admitted if not opening.admits(name)] == []
    assert [name for name in refused if opening.admits(name)] == []


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("PES_ACCESS__HOSTS", '["https://search.example.org"]', "access.hosts"),
        ("PES_ACCESS__URL", "search.example.org", "access.url"),
        ("PES_ACCESS__URL", "https://search.example.org/pes", "access.url"),
        ("PES_ACCESS__PROXIES", '["proxy"]', "access.proxies"),
        ("PES_ACCESS__OIDC__ISSUER", "http://login.example.org", "must begin with https://"),
        ("PES_ACCESS__OIDC__ROLES", '{"staff": "king"}', "access.oidc.roles"),
    ],
)
def test_settings_that_cannot_be_are_refused(
    variable: str, value: str, told: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=told):
        read_settings()
