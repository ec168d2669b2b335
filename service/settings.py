"""All settings, read once: environment variables over `pes.toml` over the defaults."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from pes_search.index.config import Bm25Config, IndexConfig, SearchConfig
from pes_search.index.encoders.base import EncoderConfig
from pes_search.ingest.config import PassageConfig, ReadingConfig
from pes_search.ingest.errors import PesSearchError
from pes_search.ingest.web.config import FetchConfig, WebSource
from pes_search.ingest.web.presets import complete
from pes_search.service.answers.config import AnswerConfig
from pes_search.service.records.config import DatabaseConfig

if TYPE_CHECKING:
    from pes_search.index.stores.base import IndexStore

LARGEST_PORT = 65_535
SHORTEST_KEY_CHARACTERS = 12  # nothing slows down who tries keys
FILE_VARIABLE = "PES_CONFIG"
DEFAULT_FILE = Path("pes.toml")


class SettingsError(PesSearchError):
    """A setting is unknown or has a value that cannot be."""


class ServeConfig(BaseModel):
    """Where the service listens."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=LARGEST_PORT)


class DeskConfig(BaseModel):
    """The editor's desk."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    key: SecretStr | None = None  # that editors sign in with; without one the desk is open to whoever reaches the service
    uploads: Path = Path("var/uploads")  # read by every build without arguments, beside `sources`
    upload_seconds: float = Field(default=20.0, gt=0)  # for reading one: somebody waits, so less than a build has
    upload_megabytes: int = Field(default=1_000, ge=500)  # of memory for the process that reads one

    @field_validator("key")
    @classmethod
    def _not_empty(cls, key: SecretStr | None) -> SecretStr | None:
        """Take off the newline that files of secrets end in; an empty key must not close a door that then opens to all."""
        value = key.get_secret_value().strip() if key else ""
        if value and len(value) < SHORTEST_KEY_CHARACTERS:
            raise ValueError(
                f"must have at least {SHORTEST_KEY_CHARACTERS} characters; make one with `openssl rand -base64 24`"
            )
        return SecretStr(value) if value else None


class Settings(BaseSettings):
    """One section a stage; `docs/settings.md` lists them all."""

    model_config = SettingsConfigDict(env_prefix="PES_", env_nested_delimiter="__", extra="forbid", frozen=True)

    sources: tuple[str, ...] = ("corpus",)
    source: tuple[WebSource, ...] = ()  # places on the web, which `pes fetch` turns into files
    taxonomy: Path = Path("corpus/taxonomy")
    store: str = "files"  # where the index is kept: a name of `index.stores.STORES`
    index_dir: Path = Path("var/index")
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

    def index_store(self) -> IndexStore:
        """Return where the index is kept."""
        from pes_search.index.stores import open_store

        return open_store(self.store, self.index_dir)

    def index_config(self) -> IndexConfig:
        """Return what an index depends on, beside the encoder."""
        return IndexConfig(self.passages, self.bm25)

    def all_sources(self) -> list[str]:
        """Return what a build without arguments reads: the sources, and the folders of uploads and fetched files there are."""
        return [*self.sources, *(str(folder) for folder in (self.desk.uploads, self.fetch.folder) if folder.is_dir())]

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
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=_file())


def read_settings() -> Settings:
    """Read the settings.

    Raises:
        SettingsError: a key is unknown, a value does not fit, or the file is no valid TOML.
    """
    file = _file()
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


def _unknown_variables() -> list[str]:
    """Return the PES_ variables that name no setting; pydantic looks at those of its own names only."""
    names = {f"PES_{name}".upper() for name in Settings.model_fields} | {FILE_VARIABLE}
    return sorted(name for name in os.environ if name.startswith("PES_") and name.split("__")[0].upper() not in names)


def _file() -> Path:
    return Path(os.environ.get(FILE_VARIABLE) or DEFAULT_FILE)
