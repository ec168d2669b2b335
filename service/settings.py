"""All settings, read once: environment variables over `pes.toml` over the defaults."""

from __future__ import annotations

import ipaddress
import os
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from pes_search.index.config import Bm25Config, IndexConfig, SearchConfig
from pes_search.index.encoders.base import EncoderConfig
from pes_search.index.stores.base import KEPT_GENERATIONS
from pes_search.ingest.config import PassageConfig, ReadingConfig
from pes_search.ingest.errors import PesSearchError
from pes_search.ingest.visibility import PlaceLabels, read_label
from pes_search.ingest.web.config import FetchConfig, WebSource
from pes_search.ingest.web.presets import complete
from pes_search.service.answers.config import AnswerConfig
from pes_search.service.records.config import DatabaseConfig
from pes_search.service.records.roles import Role

if TYPE_CHECKING:
    from pes_search.index.stores.base import IndexStore

LARGEST_PORT = 65_535
SHORTEST_KEY_CHARACTERS = 12
FILE_VARIABLE = "PES_CONFIG"
DEFAULT_FILE = Path("pes.toml")


class SettingsError(PesSearchError):
    """A setting is unknown or has a value that cannot be."""


def cores() -> int:
    """Return how many processors this process may use, or fewer where a container's limit is below."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return usable
    return max(1, min(usable, int(quota) // int(period))) if quota.isdecimal() else usable


class KeepConfig(BaseModel):
    """What is kept of an index, and when it is old."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    generations: int = Field(default=KEPT_GENERATIONS, ge=2)  # the one in use, and what `pes rollback` can go back to
    oldest_days: int = Field(default=0, ge=0)  # `/readyz` warns of an older index; 0: never


class HealthConfig(BaseModel):
    """What `/readyz` warns of."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    least_free_megabytes: int = Field(default=500, ge=0)  # on each disk that is written to; 0: only where it is full


class ServeConfig(BaseModel):
    """Where the service listens, how much it does at once, and how long anything may take."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=LARGEST_PORT)
    connections: int = Field(default=500, ge=10)  # open at once; beyond, those that ask for nothing are closed
    searches: int = Field(default_factory=cores, ge=1)  # and answers at once; more than there are cores slow each other down
    # Who would wait longer is refused with 503. A longer queue makes everybody wait longer, and refuses hardly fewer.
    queue_seconds: float = Field(default=0.5, ge=0)
    search_seconds: float = Field(default=20.0, gt=0)  # for one request, with its waiting; then it is given up
    header_seconds: float = Field(default=10.0, gt=0)  # in which a request has to say what it wants
    body_seconds: float = Field(default=30.0, gt=0)  # in which it has to send its form; an upload has four times as long
    stop_seconds: float = Field(default=10.0, gt=0)  # in which the service ends, whatever hangs


class DeskConfig(BaseModel):
    """The editor's desk."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    key: SecretStr | None = None  # counts as a key of an editor, beside those that `pes keys add` makes
    uploads: Path = Path("var/uploads")  # read by every build without arguments, beside `sources`
    upload_seconds: float = Field(default=20.0, gt=0)  # for reading one: somebody waits, so less than a build has
    upload_megabytes: int = Field(default=1_000, ge=500)  # of memory for the process that reads one

    @field_validator("key")
    @classmethod
    def _not_empty(cls, key: SecretStr | None) -> SecretStr | None:
        """Take off the newline that files of secrets end in; an empty key must not close a door that then opens to all."""
        return _long_enough(key)


class MetricsConfig(BaseModel):
    """Who may read the metrics, beside admins."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    key: SecretStr | None = None  # that a monitoring system reads them with, and may do nothing else
    open: bool = False  # to whoever reaches the service: for networks that keep others out

    @field_validator("key")
    @classmethod
    def _long_enough(cls, key: SecretStr | None) -> SecretStr | None:
        """Refuse a key that could be guessed; an empty one is none."""
        return _long_enough(key)


class LogConfig(BaseModel):
    """What the service writes to its log (standard error), and how."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["text", "json"] = "text"
    level: Literal["debug", "info", "warning", "error"] = "info"
    requests: bool = True  # a line for each request; health checks and scrapes that went well are told at `debug` only
    queries: bool = False  # with what was searched and asked
    addresses: bool = False  # with where requests came from


class TelemetryConfig(BaseModel):
    """Where traces of requests are sent to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    endpoint: str | None = None  # of an OpenTelemetry collector: http://127.0.0.1:4318/v1/traces; None: nowhere
    service_name: str = "pes-search"
    share: float = Field(default=1.0, ge=0, le=1)  # of the requests that nobody before this service decided about

    @field_validator("endpoint")
    @classmethod
    def _is_address(cls, endpoint: str | None) -> str | None:
        """Refuse what is no address of the web; an empty one is none."""
        if endpoint and not endpoint.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://, such as http://127.0.0.1:4318/v1/traces")
        return endpoint or None


class OidcConfig(BaseModel):
    """The accounts of an organisation, which people may sign in with (OpenID Connect)."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    issuer: str | None = None  # its address; without one there is no such sign-in
    client_id: str = "pes-search"  # as which this service is registered there
    client_secret: SecretStr | None = None
    scopes: str = "openid profile"
    name: str = ""  # of the organisation, as the button of the sign-in page has it
    roles_claim: str = "roles"  # of the id token, whose values `roles` and `reads` go by; with dots where it is inside another
    roles: dict[str, Role] = {}  # a value of the claim -> what somebody with it may do; of several the most
    default_role: Role | None = None  # of accounts without such a value; none: they are refused
    reads: dict[str, tuple[str, ...]] = {}  # a value of the claim -> the visibility labels that a reader with it may read

    @field_validator("issuer")
    @classmethod
    def _is_encrypted(cls, issuer: str | None) -> str | None:
        """Refuse an issuer that anybody on the way could speak for."""
        if not issuer:
            return None
        parts = urlsplit(issuer)
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
            raise ValueError("must begin with https:// (http:// only on this machine)")
        return issuer


class AccessConfig(BaseModel):
    """Who may use the service, and under which names it is reached."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    open: bool | None = None  # whether who has no key may read public documents; None: where it listens on this machine only
    hosts: tuple[str, ...] = ()  # names that it is reached by, without scheme and port
    url: str | None = None  # its public address, which links in feeds and exports begin with
    proxies: tuple[str, ...] = ()  # addresses or networks whose X-Forwarded-For and X-Forwarded-Proto count
    oidc: OidcConfig = OidcConfig()

    @field_validator("hosts")
    @classmethod
    def _are_names(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        """Hold the names against what a Host header has once its port is off."""
        names = tuple(host.strip().rstrip(".").lower() for host in hosts)
        if faulty := [name for name in names if not re.fullmatch(r"[a-z0-9_.-]+|\[[0-9a-f:.]+\]", name)]:
            raise ValueError(
                f"{faulty[0]!r} is no name of a host; give it without scheme, port and path, as in search.example.org"
            )
        return names

    @field_validator("url")
    @classmethod
    def _is_address(cls, url: str | None) -> str | None:
        """Take off the slash at its end."""
        if not url:
            return None
        parts = urlsplit(url)
        if (
            parts.scheme not in {"http", "https"}
            or not parts.hostname
            or parts.path.strip("/")
            or parts.query
            or parts.fragment
        ):
            raise ValueError("must be scheme and host, such as https://search.example.org")
        return f"{parts.scheme}://{parts.netloc}"

    @field_validator("proxies")
    @classmethod
    def _are_addresses(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse what is no address, which would be ignored."""
        for proxy in proxies:
            ipaddress.ip_network(proxy, strict=False)
        return proxies


class Settings(BaseSettings):
    """One section a stage; `docs/settings.md` lists them all."""

    model_config = SettingsConfigDict(env_prefix="PES_", env_nested_delimiter="__", extra="forbid", frozen=True)

    sources: tuple[str, ...] = ("corpus",)
    source: tuple[WebSource, ...] = ()  # places on the web, which `pes fetch` turns into files
    visibility: dict[str, str] = {}  # labels by folder or file: only who may read the label reads what lies there
    taxonomy: Path = Path("corpus/taxonomy")
    store: str = "files"  # where the index is kept: a name of `index.stores.STORES`
    index_dir: Path = Path("var/index")
    index: KeepConfig = KeepConfig()
    cache_dir: Path = Path(platformdirs.user_cache_dir("pes-search"))
    fetch: FetchConfig = FetchConfig()
    reading: ReadingConfig = ReadingConfig()
    passages: PassageConfig = PassageConfig()
    encoder: EncoderConfig = EncoderConfig()
    bm25: Bm25Config = Bm25Config()
    search: SearchConfig = SearchConfig()
    answer: AnswerConfig = AnswerConfig()
    serve: ServeConfig = ServeConfig()
    database: DatabaseConfig = DatabaseConfig()
    desk: DeskConfig = DeskConfig()
    access: AccessConfig = AccessConfig()
    health: HealthConfig = HealthConfig()
    metrics: MetricsConfig = MetricsConfig()
    log: LogConfig = LogConfig()
    telemetry: TelemetryConfig = TelemetryConfig()

    def index_store(self) -> IndexStore:
        """Return where the index is kept."""
        from pes_search.index.stores import open_store

        return open_store(self.store, self.index_dir, self.index.generations)

    def index_config(self) -> IndexConfig:
        """Return what an index depends on, beside the encoder."""
        return IndexConfig(self.passages, self.bm25)

    def all_sources(self) -> list[str]:
        """Return what a build without arguments reads: the sources, and the folders of uploads and fetched files there are."""
        return [*self.sources, *(str(folder) for folder in (self.desk.uploads, self.fetch.folder) if folder.is_dir())]

    def place_labels(self) -> PlaceLabels:
        """Return the labels of files by where they lie: as `visibility` has them, and those of places on the web.

        Raises:
            SettingsError: nothing lies where a label is for: a slip there would leave open what was to be closed.
        """
        made_later = [folder.absolute() for folder in (self.desk.uploads, self.fetch.folder)]
        for place in map(Path, self.visibility):
            is_made_later = any(folder in (place.absolute(), *place.absolute().parents) for folder in made_later)
            if not place.exists() and not is_made_later:
                raise SettingsError(
                    f"[visibility] {str(place)!r} is no folder or file here; correct it, or make the folder first"
                )
        of_sources = {str(self.fetch.folder / source.name): read_label(source.visibility) for source in self.source}
        return PlaceLabels({place: label for place, label in of_sources.items() if label} | self.visibility)

    @field_validator("visibility")
    @classmethod
    def _labels(cls, places: dict[str, str]) -> dict[str, str]:
        return {place: read_label(label) for place, label in places.items()}

    @field_validator("source")
    @classmethod
    def _complete(cls, sources: tuple[WebSource, ...]) -> tuple[WebSource, ...]:
        """Add what presets tell; each source needs a name of its own, since its files are kept under it."""
        try:
            whole = tuple(complete(source) for source in sources)
        except PesSearchError as error:
            raise ValueError(str(error)) from error
        names = [source.name for source in whole]
        if faulty := [source for source in whole if not source.name or names.count(source.name) > 1]:
            raise ValueError(
                f"each [[source]] needs a name of its own; look at {faulty[0].name or faulty[0].urls or faulty[0].preset}"
            )
        return whole

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the environment and the file, in this order."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=settings_file())


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine itself, which no other machine reaches."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_settings() -> Settings:
    """Read the settings.

    Raises:
        SettingsError: a key is unknown, a value does not fit, or the file is no valid TOML.
    """
    file = settings_file()
    if FILE_VARIABLE in os.environ and not file.is_file():
        raise SettingsError(f"{FILE_VARIABLE} names {file}, which is no file; correct or unset it")
    if unknown := _unknown_variables():
        raise SettingsError(f"unknown environment variable {', '.join(unknown)}; docs/settings.md lists what can be set")
    try:
        return Settings()
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise SettingsError(
            f"settings ({file} or PES_… variables): {faults}; docs/settings.md lists what can be set"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file}: {error}; correct the file or remove it") from error
    except ValueError as error:
        raise SettingsError(f"settings ({file} or PES_… variables): {error}; docs/settings.md lists what can be set") from error


def _long_enough(key: SecretStr | None) -> SecretStr | None:
    """Return a key without the newline that files of secrets end in, or None where it is empty."""
    value = key.get_secret_value().strip() if key else ""
    if value and len(value) < SHORTEST_KEY_CHARACTERS:
        raise ValueError(f"must have at least {SHORTEST_KEY_CHARACTERS} characters; make one with `openssl rand -base64 24`")
    return SecretStr(value) if value else None


def _unknown_variables() -> list[str]:
    """Return the PES_ variables that name no setting; pydantic looks at those of its own names only."""
    names = {f"PES_{name}".upper() for name in Settings.model_fields} | {FILE_VARIABLE}
    return sorted(name for name in os.environ if name.startswith("PES_") and name.split("__")[0].upper() not in names)


def settings_file() -> Path:
    """Return where the settings are read from, whether the file is there or not."""
    return Path(os.environ.get(FILE_VARIABLE) or DEFAULT_FILE)
