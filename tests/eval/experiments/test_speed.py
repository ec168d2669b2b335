"""What `pes-eval speed` measures, on small inputs: the figures are there and fit together. No time is held against a clock."""

import sys
from pathlib import Path

import pytest

from pes_search.eval.experiments.sized_index import PASSAGES_A_DOCUMENT, sized_index
from pes_search.eval.experiments.speed import PARTS, Speed, _in_turn, _system_run, measure_speed
from pes_search.index.encoders.base import Encoder
from pes_search.index.filters import EVERYTHING
from pes_search.ingest.errors import PesSearchError
from pes_search.service.settings import Settings

LINES = [f"In region {number} an adviser visits small firms and looks for apprenticeships with them." for number in range(15)]


def test_an_index_of_any_size_repeats_lines_with_vectors_of_their_own(tmp_path: Path, encoder: Encoder) -> None:
    settings = Settings(cache_dir=tmp_path / "cache")
    index = sized_index(tmp_path / "index", 40, LINES, encoder, settings)
    assert (index.manifest.passages, index.manifest.documents) == (40, 40 // PASSAGES_A_DOCUMENT)
    ids = [document.id for document in index.stored.documents(EVERYTHING)]
    passages = [passage for text in index.stored.texts(ids) for passage in text.passages]
    assert passages[15].text.endswith(f"{LINES[0]} (1)")
    vectors = index.stored.rows([passages[0].id, passages[15].id, passages[1].id], {}).vectors
    again, other = float(vectors[0] @ vectors[1]), float(vectors[0] @ vectors[2])
    assert 0.8 < again < 0.999  # near, as neighbours are, and not the same
    assert other < 1


def test_growth_is_told_between_sizes(tmp_path: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pes_search.eval.experiments.speed.REPEATS", 2)
    speed = Speed(Settings(cache_dir=tmp_path / "cache"), tmp_path, (20, 40))
    speed.__dict__.update(encoder=encoder, lines=LINES)
    told: dict[str, object] = {}
    measure_speed(speed, ["sizes"], told.__setitem__)
    first, second = told["sizes"]  # type: ignore[misc]
    assert (first["passages"], second["passages"]) == (20, 40)
    assert {"encode_ms", "lexical_ms", "dense_ms", "concepts_ms", "fuse_ms", "search_ms", "answer_ms"} <= first.keys()
    assert "growth_exponent" in second


def test_calls_are_timed_in_turn_and_the_first_round_is_not_counted() -> None:
    called: list[str] = []
    taken = _in_turn({"a": lambda: called.append("a"), "b": lambda: called.append("b")}, 3)
    assert called == ["a", "b"] * 4
    assert set(taken) == {"a", "b"}


def test_missing_data_is_named(tmp_path: Path) -> None:
    with pytest.raises(PesSearchError, match="--data"):
        _ = Speed(Settings(), tmp_path, ()).lines
    assert set(PARTS) == {"encode", "build", "rebuild", "start", "served", "sizes", "peers"}


def test_a_system_is_built_and_searched_in_processes_of_its_own(tmp_path: Path, encoder: Encoder) -> None:
    """The fixture has the model converted, which the process finds in the user's cache."""
    task = {"texts": LINES[:3], "queries": ["apprenticeships", "small firms"], "threads": 1}
    built = _system_run(sys.executable, "pes-search", "build", task, tmp_path)
    found = _system_run(sys.executable, "pes-search", "search", task, tmp_path)
    assert min(built["build_s"], built["peak_mb"], found["search_ms"], found["peak_mb"]) > 0
    with pytest.raises(PesSearchError, match=r"txtai failed: ModuleNotFoundError.*make bench-peers"):
        _system_run(sys.executable, "txtai", "build", task, tmp_path)
