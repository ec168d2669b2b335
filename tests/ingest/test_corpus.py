"""The corpus that the project ships keeps its own rules."""

from pathlib import Path

import pytest

from pes_search.ingest.corpus.check import CorpusReport, check_corpus

CORPUS = Path(__file__).parents[2] / "corpus"


@pytest.fixture(scope="module")
def report() -> CorpusReport:
    return check_corpus(CORPUS)


def test_it_has_no_fault(report: CorpusReport) -> None:
    assert [str(fault) for fault in report.faults] == []


def test_every_practice_and_country_is_there(report: CorpusReport) -> None:
    assert (report.practices, report.news) == (109, 4)
    assert len(set(report.counts["countries"]) - {"EU"}) == 29


def test_no_concept_lacks_practices(report: CorpusReport) -> None:
    """A term that no practice has is a gap in the collection or a mistake; there are none at present."""
    from pes_search.ingest.taxonomy import FIELDS, read_taxonomy

    taxonomy = read_taxonomy(CORPUS / "taxonomy")
    for field, name in FIELDS.items():
        assert set(report.counts[field]) == set(taxonomy.lists[name])
