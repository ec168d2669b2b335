"""Gold stretches are measured in the characters that the first passages hold."""

import json
from pathlib import Path

import pytest

from pes_search.eval.collections.files import InputError
from pes_search.eval.experiments.spans import span_figures
from pes_search.index.encoders.base import Encoder
from pes_search.service.settings import Settings

CORPUS = """# Mobile offices

The mobile office visits forty villages a year. It **stops** at the market, and two counsellors sit in it.

# Vouchers

A training voucher pays for one course. The employment service gives it to jobseekers who have no degree.
"""
GOLD = "It **stops** at the market, and two counsellors sit in it."


def write(folder: Path, *references: str) -> Path:
    (folder / "corpora").mkdir()
    (folder / "corpora" / "notes.md").write_text(CORPUS, encoding="utf-8")
    gold = [{"content": content, "start_index": max(CORPUS.find(content), 0)} for content in references]
    question = {"_id": "q1", "text": "Where does the mobile office stop?", "corpus": "notes", "references": gold}
    (folder / "queries.jsonl").write_text(json.dumps(question) + "\n", encoding="utf-8")
    return folder


def letters(text: str) -> int:
    return sum(character.isalnum() for character in text)


def test_recall_and_precision_count_letters(tmp_path: Path, encoder: Encoder, cache_dir: Path) -> None:
    settings = Settings(cache_dir=cache_dir)
    figures = span_figures(write(tmp_path, GOLD), encoder, settings, "model")
    assert (figures.questions, figures.lost) == (1, 0)
    # So short a text is read whole: all of the gold is found, markup or not, beside all the rest.
    assert figures.recall.value == 1
    assert figures.precision.value == pytest.approx(letters(GOLD) / letters(CORPUS))
    assert figures.longest <= len(CORPUS)


def test_gold_that_the_text_does_not_hold_counts_as_not_found(tmp_path: Path, encoder: Encoder, cache_dir: Path) -> None:
    elsewhere = "Nothing of this stands in the corpus."
    figures = span_figures(write(tmp_path, GOLD, elsewhere), encoder, Settings(cache_dir=cache_dir), "model")
    assert figures.lost == 1
    assert figures.recall.value == pytest.approx(letters(GOLD) / (letters(GOLD) + letters(elsewhere)))


def test_questions_that_do_not_fit_are_named(tmp_path: Path, encoder: Encoder, cache_dir: Path) -> None:
    write(tmp_path, GOLD)
    (tmp_path / "queries.jsonl").write_text("no json\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"queries\.jsonl:1: no JSON"):
        span_figures(tmp_path, encoder, Settings(cache_dir=cache_dir), "model")
