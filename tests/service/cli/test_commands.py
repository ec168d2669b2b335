"""The command `pes`: what each command prints, gives back and refuses. Builds and real processes have files of their own."""

import dataclasses
import json
import re
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from folders import ROOT
from models import renamed
from starlette.testclient import TestClient

from pes_search.index.encoders.base import Encoder, EncoderConfig
from pes_search.index.open_index import OpenIndex
from pes_search.service.cli.commands import command_line
from pes_search.service.engine import Engine

COMMANDS = (
    "build",
    "enrich",
    "search",
    "duplicates",
    "related",
    "show",
    "serve",
    "info",
    "verify",
    "generations",
    "rollback",
    "doctor",
    "corpus check",
)
HEAVY = ("torch", "faiss", "sentence_transformers", "transformers", "trafilatura", "fastapi", "uvicorn", "numpy", "pydantic")
QUERY = "reaching women after career breaks"
HIT = {
    "rank", "score", "document_id", "passage_id", "title", "visibility", "kind", "countries", "year", "end_year",
    "organisation", "language",
    "page", "place", "recognition_confidence",
    "headings", "text", "highlights", "url", "lexical", "dense", "topic", "agreement", "labels", "questions",
    "passages", "evidence", "inferred", "also", "newer",
}  # fmt: skip

Pes = Callable[..., Any]  # gives status, out and err (see conftest)


# ── Help ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("arguments", [["--help"], *([*command.split(), "--help"] for command in COMMANDS)])
def test_help_loads_no_heavy_library(arguments: list[str]) -> None:
    code = (
        "import sys\n"
        "from pes_search.service.cli.commands import main\n"
        "try:\n"
        f"    main({arguments!r})\n"
        "finally:\n"
        f"    print(*[name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout.startswith("usage: pes")
    assert done.stderr.split() == []


def test_help_lists_the_commands(pes: Pes) -> None:
    run = pes("--help")
    assert (run.status, run.err) == (0, "")
    assert [command for command in COMMANDS if command.split()[0] not in run.out] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_ends_with_an_example_that_runs(command: str, pes: Pes) -> None:
    run = pes(*command.split(), "--help")
    text = " ".join(run.out.split())  # argparse wraps lines
    program, *arguments = shlex.split(text.partition("example: ")[2])
    assert (run.status, program) == (0, "pes")
    assert " ".join(arguments).startswith(command)
    command_line().parse_args(arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["find"],
        ["search"],
        ["search", "x", "-k", "ten"],
        ["search", "x", "--group", "page"],
        ["related"],
        ["show"],
        ["info", "x"],
    ],
)
def test_a_wrong_command_line_gets_the_usage(arguments: list[str], pes: Pes) -> None:
    run = pes(*arguments)
    assert (run.status, run.out) == (2, "")
    assert run.err.startswith("usage: pes")


# ── Search ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_misspelled_query_gets_a_hint_beside_its_hits(pes: Pes, corpus_folder: Path) -> None:
    run = pes("search", "vouchers for traning", "-k", 1, "--index", corpus_folder)
    assert run.status == 0
    assert run.err.startswith("did you mean: vouchers for training?\n")
    assert run.out.startswith("1. ")
    run = pes("search", "vouchers for traning", "-k", 1, "--index", corpus_folder, "--json")
    assert (run.err, json.loads(run.out)["did_you_mean"]) == ("", "vouchers for training")


def test_a_query_that_finds_nothing_is_put_right_with_the_way_back(pes: Pes, corpus_folder: Path) -> None:
    run = pes("search", "vauchers for traning", "-k", 1, "--index", corpus_folder)
    assert run.err.startswith("shown are results for 'vouchers for training', not 'vauchers for traning' (--as-typed ")
    run = pes("search", "vauchers for traning", "--as-typed", "--index", corpus_folder)
    assert run.out == ""
    assert run.err.startswith("did you mean: vouchers for training?\nnothing matches")


def test_search_prints_json_for_machines(pes: Pes, corpus_folder: Path, corpus_index: OpenIndex) -> None:
    run = pes("search", QUERY, "-k", 3, "--index", corpus_folder, "--json")
    assert (run.status, run.err) == (0, "")
    result = json.loads(run.out)
    assert set(result) - {"total", "did_you_mean"} == {
        *("query", "language", "index_id", "took_ms", "hits", "concepts", "expansions", "facets"),
        *("matching", "further", "nothing_relevant", "absent_phrases", "named_filters", "put_right"),
    }
    assert (result["query"], result["language"], result["index_id"]) == (QUERY, "en", corpus_index.manifest.index_id)
    assert [hit["rank"] for hit in result["hits"]] == [1, 2, 3]
    first = result["hits"][0]
    assert set(first) == HIT
    assert (first["document_id"], first["countries"], first["year"]) == ("de-power-m", ["DE"], 2009)
    assert first["passage_id"] in {passage.id for passage in corpus_index.text("de-power-m").passages}
    assert all(first["text"][start:end].strip() for start, end in first["highlights"])
    assert result["facets"]["kind"]["practice"] == len(list((ROOT / "corpus" / "practices").glob("*.md")))


def test_command_line_and_http_give_the_same(pes: Pes, corpus_folder: Path, client: TestClient) -> None:
    said = json.loads(pes("search", QUERY, "-k", 3, "--offset", 1, "--country", "DE", "--index", corpus_folder, "--json").out)
    sent = client.get("/api/v1/search", params={"q": QUERY, "k": 3, "offset": 1, "country": "DE"}).json()
    assert {**said, "took_ms": 0} == {**sent, "took_ms": 0}
    for command, path in (
        (["related", "de-power-m", "-k", 4], "/api/v1/documents/de-power-m/related?k=4"),
        (["show", "de-power-m"], "/api/v1/documents/de-power-m"),
        (["show", said["hits"][0]["passage_id"]], f"/api/v1/passages/{said['hits'][0]['passage_id']}"),
    ):
        assert json.loads(pes(*command, "--index", corpus_folder, "--json").out) == client.get(path).json()


def test_search_prints_sourced_results_for_people(pes: Pes, corpus_folder: Path) -> None:
    run = pes("search", "average break of the women in power_m", "-k", 1, "--index", corpus_folder)
    assert run.status == 0
    assert re.fullmatch(r"\d+ match, \d+ further\n", run.err)
    assert run.out.startswith("1. power_m – return to work after a family break  [DE · 2009 · practice]")
    assert "de-power-m~" in run.out
    assert "In 2019 the average break of the women in power_m was given as 7 years" in run.out
    assert "https://www.power-m.net/ueber-power-m/finanzierung/" in run.out
    assert "\033" not in run.out


def test_matched_words_are_bold_on_a_terminal_only(pes: Pes, corpus_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    out = pes("search", "Gramatneusiedl", "-k", 1, "--index", corpus_folder).out
    assert "\033[1mGramatneusiedl\033[0m" in out


@pytest.mark.parametrize(
    ("arguments", "passes"),
    [
        (["--country", "IS", "LV"], lambda file: {"IS", "LV"} & set(file["countries"])),
        (["--country", "IS", "--country", "Latvia"], lambda file: {"IS", "LV"} & set(file["countries"])),
        (["--country", "LV", "--kind", "news"], lambda file: "LV" in file["countries"] and file["kind"] == "news"),
        (["--target-group", "rural youth"], lambda file: "rural-youth" in file["target_groups"]),
        (["--measure-type", "hidden-job-market"], lambda file: "hidden-job-market" in file["measure_types"]),
        (["--channel", "home-visits"], lambda file: "home-visits" in file.get("channels", ())),
        (["--evidence", "control group"], lambda file: file.get("evidence", {}).get("strength") == "control-group"),
        (
            ["--year-from", "1990", "--year-to", "1999"],
            lambda file: file.get("start", 9999) <= 1999 and file.get("end", 9999) >= 1990,
        ),
        (["--language", "de"], lambda file: file["language"] == "de"),
    ],
)
def test_filters_restrict_the_search(
    arguments: list[str],
    passes: Callable[[dict[str, Any]], object],
    pes: Pes,
    corpus_folder: Path,
    corpus_files: dict[str, dict[str, Any]],
) -> None:
    run = pes("search", "training", *arguments, "-k", 1000, "--all", "--index", corpus_folder, "--json")
    expected = {document_id for document_id, file in corpus_files.items() if passes(file)}
    assert {hit["document_id"] for hit in json.loads(run.out)["hits"]} == expected


def test_a_filter_that_nothing_is_called_is_told(pes: Pes, corpus_folder: Path) -> None:
    run = pes("search", "x", "--country", "Slowenia", "--kind", "practice", "--index", corpus_folder)
    assert (run.status, run.out) == (1, "")
    assert run.err.startswith("pes: no country 'Slowenia'; did you mean ")
    assert "SI (" in run.err


def test_a_query_about_something_else_is_told_to_find_nothing(pes: Pes, corpus_folder: Path) -> None:
    run = pes("search", "how do I cook rice", "--index", corpus_folder)
    assert (run.status, run.out) == (0, "")
    assert run.err.startswith("nothing matches; ")
    assert pes("search", "how do I cook rice", "--all", "-k", 1, "--index", corpus_folder).out.startswith("1. ")
    absent = pes("search", 'women "carving job"', "--index", corpus_folder)
    assert 'no document has "carving job" as written' in absent.err


def test_passages_can_be_hits(pes: Pes, corpus_folder: Path) -> None:
    run = pes("search", "outreach", "--group", "passage", "--country", "DE", "--all", "--index", corpus_folder, "--json")
    hits = json.loads(run.out)["hits"]
    assert len({hit["passage_id"] for hit in hits}) == 10 > len({hit["document_id"] for hit in hits})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([""], "the query is empty"),
        (["  "], "the query is empty"),
        (["x" * 2001], "2001 characters, 2000 at most"),
        (["x", "-k", "0"], "k must be from 1 to 1000, not 0"),
        (["x", "-k", "1001"], "k must be from 1 to 1000, not 1001"),
        (["x", "--offset", "-1"], "offset must not be negative"),
    ],
)
def test_a_search_that_cannot_be_is_refused(arguments: list[str], words: str, pes: Pes, corpus_folder: Path) -> None:
    run = pes("search", *arguments, "--index", corpus_folder)
    assert (run.status, run.out) == (1, "")
    assert run.err.startswith("pes: ")
    assert words in run.err


def test_a_query_in_another_encoding_is_no_crash(pes: Pes, corpus_folder: Path) -> None:
    """A terminal in Latin-1 sends a byte that Python hands over as half a surrogate pair."""
    run = pes("search", b"caf\xe9 jobs".decode("utf-8", "surrogateescape"), "--index", corpus_folder, "--json")
    assert run.status in (0, 1)


@pytest.mark.parametrize(
    ("arguments", "is_for_filters"),
    [(["--country", "MT", "--year-to", "1900"], True), (["--offset", "1000"], False)],
)
def test_an_empty_result_says_why(arguments: list[str], is_for_filters: bool, pes: Pes, corpus_folder: Path) -> None:
    run = pes("search", "training", *arguments, "--index", corpus_folder)
    assert (run.status, run.out) == (0, "")
    assert run.err.strip()
    assert ("no document passes these filters" in run.err) is is_for_filters


def test_a_refused_model_is_mended_by_the_command_that_the_message_names(
    corpus: Path, pes: Pes, tmp_path: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(config: EncoderConfig, _: Path) -> Encoder:
        return renamed(encoder, "weights", config)

    for module in ("index.encoders", "service.engine"):
        monkeypatch.setattr(f"pes_search.{module}.load_encoder", load)
    folder = tmp_path / "elsewhere"
    pes("build", "--index", folder)
    assert pes("search", "bakers", "--index", folder).status == 0

    monkeypatch.setenv("PES_ENCODER__QUERY_PROMPT", "ask: ")  # as good as another model
    refused = pes("search", "bakers", "--index", folder)
    assert (refused.status, refused.out) == (1, "")
    program, *arguments = shlex.split(refused.err.split("`")[1])
    assert (program, arguments[0]) == ("pes", "build")
    assert pes(*arguments).status == 0
    assert pes("search", "bakers", "--index", folder).status == 0


# ── Related, show, info ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("no_model")
def test_related_lists_other_documents(pes: Pes, corpus_folder: Path) -> None:
    run = pes("related", "de-power-m", "-k", 3, "--index", corpus_folder, "--json")
    assert (run.status, run.err) == (0, "")
    result = json.loads(run.out)
    assert result["document_id"] == "de-power-m"
    assert [hit["rank"] for hit in result["hits"]] == [1, 2, 3]
    assert "de-power-m" not in {hit["document_id"] for hit in result["hits"]}
    assert set(result["hits"][0]) == HIT | {"reasons", "same"}
    text = pes("related", "de-power-m", "-k", 3, "--index", corpus_folder).out
    assert all(f"{hit['rank']}. {hit['title']}" in text for hit in result["hits"])


@pytest.mark.usefixtures("no_model")
def test_show_prints_a_document(pes: Pes, corpus_folder: Path) -> None:
    run = pes("show", "at-magma", "--index", corpus_folder)
    assert (run.status, run.err) == (0, "")
    title, facts, *_ = run.out.splitlines()
    assert title == "MAGMA job guarantee Marienthal"
    assert facts.startswith("practice · AT · 2020 · AMS Niederösterreich · http")
    assert "\nIn short\n" in run.out


@pytest.mark.usefixtures("no_model")
def test_show_prints_a_passage(pes: Pes, corpus_folder: Path, corpus_index: OpenIndex) -> None:
    passage = corpus_index.text("at-magma").passages[1]
    run = pes("show", passage.id, "--index", corpus_folder)
    assert (run.status, run.err) == (0, "")
    assert run.out.startswith("MAGMA job guarantee Marienthal")
    assert passage.text in run.out
    assert corpus_index.document("at-magma").url in run.out


@pytest.mark.parametrize("command", [["related", "nothing"], ["show", "nothing"], ["show", "nothing~0-1"]])
def test_an_unknown_id_is_named(command: list[str], pes: Pes, corpus_folder: Path) -> None:
    run = pes(*command, "--index", corpus_folder)
    assert (run.status, run.out) == (1, "")
    assert f"'{command[1]}' in this index" in run.err


@pytest.mark.usefixtures("no_model")
def test_info_prints_the_manifest(pes: Pes, corpus_folder: Path, corpus_index: OpenIndex) -> None:
    manifest = corpus_index.manifest
    run = pes("info", "--index", corpus_folder, "--json")
    assert (run.status, run.err) == (0, "")
    values = json.loads(run.out)
    assert values.pop("last_build")["state"] == "finished"
    assert values == json.loads(json.dumps(dataclasses.asdict(manifest)))
    text = pes("info", "--index", corpus_folder).out
    for value in (manifest.index_id, manifest.model_id, manifest.built_at, f"{manifest.passages} (en {manifest.passages})"):
        assert value in text


@pytest.mark.parametrize("command", [["search", "x"], ["related", "x"], ["show", "x"], ["info"], ["serve"]])
@pytest.mark.usefixtures("no_model")
def test_without_an_index_the_next_command_is_named(command: list[str], pes: Pes, tmp_path: Path) -> None:
    run = pes(*command, "--index", tmp_path / "none")
    assert (run.status, run.out) == (1, "")
    assert run.err == f"pes: no index in {tmp_path}/none; build one with `pes build --index {tmp_path}/none`\n"


@pytest.mark.parametrize("command", [["search", "x"], ["related", "x"], ["show", "x"], ["serve"], ["info"]])
@pytest.mark.usefixtures("no_model")
def test_a_damaged_index_is_refused_with_the_next_command(command: list[str], pes: Pes, tmp_path: Path) -> None:
    (tmp_path / "CURRENT").write_text("gone")
    run = pes(*command, "--index", tmp_path)
    assert (run.status, run.out) == (1, "")
    assert f"`pes build --index {tmp_path}`" in run.err


# ── Corpus check ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    """The project's corpus with one figure changed."""
    folder = tmp_path / "faulty"
    shutil.copytree(ROOT / "corpus", folder)
    path = folder / "practices/de-power-m.md"
    text = path.read_text("utf-8")
    assert "average break of the women in power_m was given as 7 years" in text
    path.write_text(text.replace("given as 7 years", "given as 8 years"), "utf-8")
    return folder


def test_a_corpus_without_faults_is_counted(pes: Pes) -> None:
    run = pes("corpus", "check", ROOT / "corpus", "--counts")
    assert (run.status, run.err) == (0, "")
    assert re.search(r"^ +\d+ women-returners$", run.out, re.MULTILINE)
    assert run.out.endswith(" news items: no faults\n")


def test_a_fault_of_a_corpus_fails_with_file_line_and_remedy(pes: Pes, faulty: Path) -> None:
    run = pes("corpus", "check", faulty)
    assert (run.status, run.err) == (1, "")
    fault, verdict = run.out.splitlines()
    assert re.fullmatch(
        rf"{faulty}/practices/de-power-m\.md:\d+: '8' is not in facts/de-power-m\.yaml; correct the text, .*", fault
    )
    assert verdict.endswith("faults to mend: 1")
    report = pes("corpus", "check", faulty, "--json")
    (fault_values,) = json.loads(report.out)["faults"]
    assert report.status == 1
    assert fault == f"{fault_values['path']}:{fault_values['line']}: {fault_values['message']}"


def test_a_folder_that_is_no_corpus_is_named(pes: Pes, tmp_path: Path) -> None:
    run = pes("corpus", "check", tmp_path)
    assert (run.status, run.out) == (1, "")
    assert "holds no folder practices/" in run.err


# ── Serve ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Take what `pes serve` hands to the web server, instead of serving for good."""
    handed: dict[str, Any] = {}
    monkeypatch.setattr("uvicorn.Server.run", lambda server: handed.update(vars(server.config)))
    return handed


def test_serve_listens_where_settings_and_options_say(
    pes: Pes, corpus_folder: Path, served: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PES_SERVE__PORT", "8123")
    run = pes("serve", "--index", corpus_folder)
    assert (run.status, run.out) == (0, "")
    assert "http://127.0.0.1:8123/" in run.err
    assert (served["host"], served["port"]) == ("127.0.0.1", 8123)
    assert TestClient(served["app"]).get("/readyz").json()["status"] == "ready"
    refused = pes("serve", "--index", corpus_folder, "--host", "0.0.0.0", "--port", 8124)
    assert (refused.status, "pes serve --open" in refused.err, served["port"]) == (1, True, 8123)
    pes("serve", "--index", corpus_folder, "--host", "0.0.0.0", "--port", 8124, "--open")
    assert (served["proxy_headers"], served["forwarded_allow_ips"]) == (False, [])
    assert (served["host"], served["port"]) == ("0.0.0.0", 8124)


@pytest.mark.parametrize("port", [65536, -1])
def test_serve_refuses_a_port_that_cannot_be(port: int, pes: Pes, corpus_folder: Path, served: dict[str, Any]) -> None:
    run = pes("serve", "--index", corpus_folder, "--port", port)
    assert run.status in (1, 2)
    assert "port" in run.err
    assert not served


def test_serve_fails_on_a_port_in_use(pes: Pes, corpus_folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        run = pes("serve", "--index", corpus_folder, "--port", taken.getsockname()[1])
    assert run.status != 0
    assert "address already in use" in run.err


# ── Settings ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_wrong_setting_stops_every_command(pes: Pes, tmp_path: Path) -> None:
    (tmp_path / "pes.toml").write_text("[serve]\nprot = 1")
    for command in (["build"], ["search", "x"], ["info"], ["serve"]):
        run = pes(*command)
        assert (run.status, run.out) == (1, "")
        assert "serve.prot" in run.err


def test_preview_shows_files_and_fails_only_if_none_can_be_read(pes: Pes, tmp_path: Path) -> None:
    (tmp_path / "bus.md").write_text(
        "# Bus to work\n\nCountry: Austria\n\nA minibus takes 40 apprentices to work.", encoding="utf-8"
    )
    files = [str(tmp_path / "bus.md"), str(tmp_path / "gone.md")]
    done = pes("preview", *files, "--json")
    read, gone = json.loads(done.out)
    assert (done.status, read["title"], read["countries"], read["reason"]) == (0, "Bus to work", ["AT"], None)
    assert gone["reason"] == "cannot be opened: No such file or directory"
    told = pes("preview", *files)
    assert "countries: AT" in told.out
    assert "kind: document (inferred)" in told.out
    assert "gone.md: would not be indexed: cannot be opened" in told.out
    assert pes("preview", files[1]).status == 1


def test_duplicates_are_listed_by_group(pes: Pes, corpus_folder: Path) -> None:
    run = pes("duplicates", "--index", corpus_folder)
    assert (run.status, run.out) == (0, "groups of documents that say the same: 0\n")
    assert json.loads(pes("duplicates", "--index", corpus_folder, "--json").out)["groups"] == []


def test_editors_part_confirm_and_take_back(pes: Pes, copied: Engine, tmp_path: Path) -> None:
    index = ("--index", tmp_path / "index")
    (tmp_path / "pes.toml").write_text('[database]\npath = "pes.sqlite3"\n')
    listed = pes("duplicates", *index)
    assert listed.out.startswith("The bus  story  sources/story.md\n  copy: The bus  copy  sources/copy.md\n")
    assert not (tmp_path / "pes.sqlite3").exists()  # who only looks leaves nothing
    parted = pes("duplicates", "--part", "copy", "story", "german", *index)
    assert parted.out.splitlines()[2:4] == ["  parted from it: copy", "groups of documents that say the same: 1"]
    assert [line.partition("  (")[0] for line in parted.out.splitlines()[4:]] == [
        "no copies: copy german",
        "no copies: copy story",
    ]
    assert "also as: copy" not in pes("search", "a bus that visits villages", *index).out
    assert pes("related", "copy", *index, "-k", 1).out.startswith("1. The bus")
    confirmed = json.loads(pes("duplicates", "--confirm", "story", "german", *index, "--json").out)
    assert [(group["document_id"], group["confirmed"], group["parted"]) for group in confirmed["groups"]] == [
        ("story", True, ["copy"])
    ]
    assert "The bus  story  sources/story.md  (confirmed)" in pes("duplicates", *index).out
    back = pes("duplicates", "--undo", "copy", "story", "german", *index)
    assert (back.status, back.out.count("no copies:")) == (0, 0)
    assert "also as: copy" in pes("search", "a bus that visits villages", *index).out


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["--part", "story", "nowhere"], 1, "no document 'nowhere' in this index; `pes search` lists ids"),
        (["--part", "story", "story"], 1, "'story' is named twice; name each document once"),
        (["--confirm", "story"], 1, "name at least two documents"),
        (["--undo", "story", "copy"], 1, "nothing was decided about story and copy; `pes duplicates` lists what was"),
        (["--part", "story", "copy", "--confirm", "story", "copy"], 2, "not allowed with argument"),
        (["--part"], 2, "expected at least one argument"),
    ],
)
def test_what_cannot_be_decided_is_told(
    arguments: list[str], status: int, told: str, pes: Pes, copied: Engine, tmp_path: Path
) -> None:
    run = pes("duplicates", *arguments, "--index", tmp_path / "index")
    assert (run.status, run.out) == (status, "")
    assert told in run.err
