"""The judged cells of comparisons: well formed, true to the documents, and few that say what is not so."""

from collections import Counter
from pathlib import Path

import pytest

from pes_search.eval.acceptance import plain_quote
from pes_search.eval.cells import OUTCOMES, PROJECT_CELLS, judged_cells, read_cells
from pes_search.eval.collections.files import InputError
from pes_search.index.open_index import OpenIndex
from pes_search.service.engine import Engine

# What the state of the work reaches, less a few; raise and lower them with it.
LEAST_RIGHT, MOST_FALSE = 136, 10


def test_enough_cells_are_right_and_few_are_false(engine: Engine) -> None:
    results = list(judged_cells(read_cells(PROJECT_CELLS), engine))
    counts = Counter(cell.outcome for cell in results)
    assert set(counts) <= set(OUTCOMES)
    assert len(results) == 160
    assert counts["right"] + counts["rightly empty"] >= LEAST_RIGHT, counts
    assert counts["false"] <= MOST_FALSE, [cell for cell in results if cell.outcome == "false"]


def test_every_piece_stands_in_its_document(corpus_index: OpenIndex) -> None:
    for row in read_cells(PROJECT_CELLS):
        text = plain_quote("\n".join(page.text for page in corpus_index.text(row["document"]).pages))
        for piece in row["stated"]:
            assert plain_quote(piece) in text, f"{row['_id']}: {piece}"


def test_a_file_that_does_not_fit_is_refused_line_by_line(tmp_path: Path) -> None:
    file = tmp_path / "cells.jsonl"
    file.write_text('{"id": "a", "document": "x"}\n', encoding="utf-8")
    with pytest.raises(InputError, match="has no field, no stated; add it"):
        read_cells(file)
    file.write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="no cells"):
        read_cells(file)
