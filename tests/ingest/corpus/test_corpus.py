"""The corpus that the project ships keeps its own rules."""

import pytest
from folders import CORPUS

from pes_search.ingest.corpus.check import CorpusReport, check_corpus


@pytest.fixture(scope="module")
def report() -> CorpusReport:
    return check_corpus(CORPUS)


def test_it_has_no_fault(report: CorpusReport) -> None:
    assert [str(fault) for fault in report.faults] == []


def test_every_practice_and_country_is_there(report: CorpusReport) -> None:
    assert report.practices >= 109
    assert report.news >= 4
    assert len(set(report.counts["countries"]) - {"EU"}) >= 29
