"""The measurement of index safety sees what it should: what is lost, left behind, or opened though it is altered."""

import random
from pathlib import Path

import pytest

from pes_search.eval.experiments.index_safety import Place, count_events, flip_bytes, kill_builds
from pes_search.index.stores.files import FileStore


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, documents=2)


def test_killed_builds_lose_nothing(place: Place) -> None:
    report = kill_builds(place, 5, random.Random(1))
    assert (report.moments, sum(report.served.values()), report.served["none"]) == (5, 5, 0)
    assert report.killed >= 3  # those that are killed as they touch a file
    assert report.is_good


def test_the_moments_are_those_of_a_whole_build(place: Place) -> None:
    place.write_sources(0)
    assert count_events(place) > 40  # each of some thirty files is written once at least


def test_flipped_bytes_are_refused(place: Place) -> None:
    reports = {report.file: report for report in flip_bytes(place, 2, random.Random(1))}
    assert sum(report.wrong for report in reports.values()) == 0
    assert {"CURRENT", "HISTORY", "manifest.json", "vectors.f16", "bm25/params.index.json"} <= set(reports)
    for name in ("CURRENT", "manifest.json", "vectors.f16"):
        assert reports[name].refused_by_open == reports[name].refused_by_verify == reports[name].named == 2


def test_a_store_that_looks_at_nothing_is_found_out(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its checks the store opens altered texts; the measurement must say so."""
    stored = place.write_sources(0) or (place.build() and FileStore(place.index).open())
    monkeypatch.setattr(FileStore, "verify", lambda store, name=None: stored.manifest)
    monkeypatch.setattr(FileStore, "open", lambda store: stored)
    monkeypatch.setattr("pes_search.eval.experiments.index_safety._served", lambda place: "other")
    assert sum(report.wrong for report in flip_bytes(place, 1, random.Random(1))) > 20
