"""Questions that a language model writes for a collection: sifted by a search, a file a document, going on where they stopped.

The service is scripted, since no real model says what a test needs.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from scripted_model import ScriptedModel, scripted_model

from pes_search.index.errors import QueryError
from pes_search.ingest.questions import read_questions
from pes_search.service.answers.chat import ChatService
from pes_search.service.answers.types import WriterError
from pes_search.service.engine import Engine
from pes_search.service.enrichment import Enriched, enrich


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with scripted_model() as model:
        yield model


def run(engine: Engine, url: str, into: Path, **values: object) -> Iterator[Enriched]:
    service = ChatService(url, "scripted", None, 5.0)
    options = {"languages": ["en"], "count": 3} | values
    return enrich(engine.index(), engine.encoder, engine.settings.search, service, into, **options)  # type: ignore[arg-type]


def test_what_finds_its_document_is_kept_and_a_run_goes_on(engine: Engine, model: ScriptedModel, tmp_path: Path) -> None:
    model.reply = model.text('1. Who tours the villages of Romania in a caravan?\n- "Berufsinfomat chatbot of the AMS"\nx\n')
    first = next(run(engine, model.url, tmp_path))
    assert first.document == "at-berufsinfomat"
    assert read_questions(tmp_path / "at-berufsinfomat.yaml") == [("en", "Berufsinfomat chatbot of the AMS")]
    assert (first.kept, first.left_out) == (1, 1)
    second = next(run(engine, model.url, tmp_path))
    assert second.document != first.document


def test_a_service_that_fails_leaves_what_is_written(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(WriterError, match="connection failed"):
        next(run(engine, "http://127.0.0.1:9", tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("values", "what"), [({"languages": ["xx"]}, "no language 'xx'"), ({"count": 0}, "1 to 50")])
def test_what_cannot_be_asked_for(engine: Engine, tmp_path: Path, values: dict[str, object], what: str) -> None:
    with pytest.raises(QueryError, match=what):
        next(run(engine, "http://127.0.0.1:9", tmp_path, **values))
