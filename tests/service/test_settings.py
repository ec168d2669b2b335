from collections.abc import Callable
from pathlib import Path

import pytest
from folders import ROOT
from pydantic import ValidationError

from pes_search.service.settings import Settings, SettingsError, read_settings

WriteFile = Callable[[str], None]


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def write_file(tmp_path: Path) -> WriteFile:
    def write(text: str) -> None:
        (tmp_path / "pes.toml").write_text(text, encoding="utf-8")

    return write


def test_defaults_hold_without_a_file() -> None:
    settings = read_settings()
    assert settings.sources == ("corpus",)
    assert settings.index_dir == Path("var/index")
    assert (settings.serve.host, settings.serve.port) == ("127.0.0.1", 8000)


def test_the_file_sets_every_stage(write_file: WriteFile) -> None:
    write_file(
        """
        sources = ["reports", "notes"]
        index_dir = "elsewhere"
        [passages]
        max_tokens = 100
        [encoder]
        query_prompt = "ask: "
        [bm25]
        k1 = 0.9
        [search]
        passages_per_document = 2
        [search.fusion]
        lexical_weight = 0.5
        [serve]
        port = 9001
        """
    )
    settings = read_settings()
    assert settings.sources == ("reports", "notes")
    assert settings.index_dir == Path("elsewhere")
    assert settings.passages.max_tokens == 100
    assert settings.passages.min_tokens == 60  # what the file leaves open keeps its default
    assert settings.encoder.query_prompt == "ask: "
    assert settings.bm25.k1 == 0.9
    assert settings.search.passages_per_document == 2
    assert settings.search.fusion.lexical_weight == 0.5
    assert settings.serve.port == 9001


def test_a_variable_outranks_the_file_key_by_key(write_file: WriteFile, monkeypatch: pytest.MonkeyPatch) -> None:
    write_file('[serve]\nhost = "0.0.0.0"\nport = 9001\n[search.fusion]\nlexical_weight = 0.5')
    monkeypatch.setenv("PES_SERVE__PORT", "9002")
    monkeypatch.setenv("PES_SEARCH__FUSION__LEXICAL_WEIGHT", "0.7")
    settings = read_settings()
    assert (settings.serve.host, settings.serve.port) == ("0.0.0.0", 9002)
    assert settings.search.fusion.lexical_weight == 0.7


def test_another_file_can_be_named(tmp_path: Path, write_file: WriteFile, monkeypatch: pytest.MonkeyPatch) -> None:
    write_file("[serve]\nport = 9001")
    (tmp_path / "other.toml").write_text("[serve]\nport = 9003")
    monkeypatch.setenv("PES_CONFIG", "other.toml")
    assert read_settings().serve.port == 9003


def test_a_named_file_that_is_missing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PES_CONFIG", "nowhere.toml")
    with pytest.raises(SettingsError, match=r"PES_CONFIG names nowhere\.toml"):
        read_settings()


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("colour = 1", "colour"),
        ("[colours]\nred = 1", "colours"),
        ("[passages]\nmax_token = 100", "passages.max_token"),
        ('[encoder]\nmodle = "x"', "encoder.modle"),
        ("[bm25]\nk2 = 1.5", "bm25.k2"),
        ("[search]\ndepth = 3", "search.depth"),
        ("[search.fusion]\nlexical_wieght = 0.2", "search.fusion.lexical_wieght"),
        ("[serve]\nprot = 8001", "serve.prot"),
    ],
)
def test_an_unknown_key_is_refused_with_its_path(text: str, path: str, write_file: WriteFile) -> None:
    write_file(text)
    with pytest.raises(SettingsError, match=rf"pes\.toml.* {path}: "):
        read_settings()


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("PES_INDEX_DRI", "index_dri"),
        ("PES_SERVE__PROT", "serve.prot"),
        ("PES_ENCODER__MODLE", "encoder.modle"),
        ("PES_SEARCH__FUSION__LEXICAL_WIEGHT", "search.fusion.lexical_wieght"),
    ],
)
def test_an_unknown_variable_is_refused(name: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "1")
    with pytest.raises(SettingsError) as refused:
        read_settings()
    assert path in str(refused.value) or name in str(refused.value)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("[serve]\nport = 65536", "serve.port"),
        ('[serve]\nport = "http"', "serve.port"),
        ("[passages]\nmin_tokens = 300", "passages"),  # more than max_tokens
        ("[passages]\nmax_tokens = 7\nmin_tokens = 0", "passages"),
        ("[encoder]\nthreads = 0", "encoder"),
        ("[search.fusion]\nlexical_weight = -0.1", "search.fusion"),
        ("[search]\npassages_per_document = 0", "search"),  # a hit is at least its best passage
        ("[bm25]\nb = 2.0", "bm25"),  # a share of the length, from 0 to 1
        ("[bm25]\nk1 = -1.0", "bm25"),
        ("sources = 3", "sources"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_its_path(text: str, path: str, write_file: WriteFile) -> None:
    write_file(text)
    with pytest.raises(SettingsError, match=rf" {path}[^:]*: "):
        read_settings()


def test_all_faults_are_named_at_once(write_file: WriteFile) -> None:
    write_file("colour = 1\n[serve]\nport = -1")
    with pytest.raises(SettingsError) as refused:
        read_settings()
    assert "colour: " in str(refused.value)
    assert "serve.port: " in str(refused.value)


@pytest.mark.parametrize("content", [b"[serve\nport = 1", b'index_dir = "\xff"'])
def test_a_file_that_is_no_toml_is_refused_by_name(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "pes.toml").write_bytes(content)
    with pytest.raises(SettingsError, match=r"^pes\.toml: "):
        read_settings()


def test_a_variable_that_cannot_be_read_is_not_blamed_on_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PES_SOURCES", "reports")  # a list is given as JSON
    with pytest.raises(SettingsError) as refused:
        read_settings()
    assert "PES_" in str(refused.value)
    assert "sources" in str(refused.value).casefold()


def test_settings_do_not_change() -> None:
    settings = read_settings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.index_dir = Path("elsewhere")
    with pytest.raises(ValidationError, match="frozen"):
        settings.serve.port = 1


def test_the_documentation_lists_every_setting() -> None:
    page = ROOT / "docs" / "settings.md"
    if not page.is_file():
        pytest.skip("docs/settings.md is not written yet")
    text = page.read_text(encoding="utf-8")
    values = Settings().model_dump()
    names = set(values)
    for section in values.values():
        if isinstance(section, dict):
            names |= set(section)
    assert [name for name in sorted(names) if name not in text] == []


def test_a_short_editors_key_is_refused_without_being_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PES_DESK__KEY", "sesame")
    with pytest.raises(SettingsError, match=r"desk.key.*at least 12 characters") as fault:
        read_settings()
    assert "sesame" not in str(fault.value)


def test_an_empty_editors_key_is_none_and_a_newline_is_no_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PES_DESK__KEY", " ")
    assert read_settings().desk.key is None
    monkeypatch.setenv("PES_DESK__KEY", "a long enough key\n")
    key = read_settings().desk.key
    assert key is not None
    assert key.get_secret_value() == "a long enough key"


def test_uploads_are_built_with_the_sources_once_there_is_a_folder(tmp_path: Path, write_file: WriteFile) -> None:
    write_file('sources = ["notes"]\n[desk]\nuploads = "handed-in"\n')
    assert read_settings().all_sources() == ["notes"]
    (tmp_path / "handed-in").mkdir()
    assert read_settings().all_sources() == ["notes", "handed-in"]


def test_places_have_labels_by_table_and_source(tmp_path: Path, write_file: WriteFile) -> None:
    write_file(
        '[visibility]\n"corpus/closed" = "Internal"\n"corpus/closed/press" = "public"\n"var/uploads/board" = "board"\n'
        '[[source]]\nname = "intranet"\nurls = ["https://intranet.example.org/"]\nvisibility = "internal"\n'
        '[[source]]\nname = "press"\nurls = ["https://www.example.org/"]\n'
    )
    (tmp_path / "corpus" / "closed" / "press").mkdir(parents=True)
    labels = read_settings().place_labels()
    expected = {
        "corpus/open.md": "",
        "corpus/closed/file.md": "internal",
        "corpus/closed/press/file.md": "",
        "var/uploads/file.md": "",
        "var/uploads/board/file.md": "board",  # uploads come later
        "var/web/intranet/page.html": "internal",
        "var/web/press/page.html": "",
    }
    assert {place: labels.label(Path(place)) for place in expected} == expected


def test_a_label_for_a_place_that_is_not_there_is_refused(write_file: WriteFile) -> None:
    write_file('[visibility]\n"corpus/closd" = "internal"\n')
    with pytest.raises(SettingsError, match=r"\[visibility\] 'corpus/closd' is no folder or file"):
        read_settings().place_labels()


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('[visibility]\n"corpus" = "only us"', "visibility"),
        ('[visibility]\n"corpus" = false', "visibility.corpus"),
        ('visibility = "internal"', "visibility"),
        ('[[source]]\nname = "x"\nurls = ["https://x.example/"]\nvisibility = "in house"', "source.0"),
    ],
)
def test_a_faulty_label_is_refused(text: str, path: str, write_file: WriteFile) -> None:
    write_file(text)
    with pytest.raises(SettingsError, match=rf"pes\.toml.* {path}: "):
        read_settings()
