"""Runs and judgments are read in the formats that the field uses, or refused line by line."""

from pathlib import Path

import pytest

from pes_search.eval.collections.files import SHOWN_FAULTS, InputError, read_qrels, read_run, write_run
from pes_search.eval.collections.questions import read_judgments, read_questions


def test_a_run_is_written_and_read_back_best_first(tmp_path: Path) -> None:
    run = {"q1": {"b": 0.5, "a": 0.5, "c": 0.9}, "q2": {"x": -0.25}}
    path = tmp_path / "my.run"
    write_run(path, run, "tag")
    assert path.read_text().splitlines() == [
        "q1 Q0 c 1 0.900000 tag", "q1 Q0 a 2 0.500000 tag", "q1 Q0 b 3 0.500000 tag", "q2 Q0 x 1 -0.250000 tag",
    ]  # fmt: skip
    assert read_run(path) == run


def test_an_id_with_a_space_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'my id': TREC's format has no spaces"):
        write_run(tmp_path / "x", {"q": {"my id": 1.0}}, "tag")


@pytest.mark.parametrize("text", ["query-id\tcorpus-id\tscore\nq\td\t2\n", "q\td\t2", "q 0 d 2\n", "q\t0\td\t2\r\n"])
def test_judgments_come_in_three_formats(tmp_path: Path, text: str) -> None:
    (tmp_path / "qrels").write_text(text)
    assert read_qrels(tmp_path / "qrels") == {"q": {"d": 2}}


@pytest.mark.parametrize(
    ("read", "text", "messages"),
    [
        (read_qrels, "a\tb\nq\td\tx\nq\td\t1\nq\td\t2", [":1: needs", ":2: needs", ":4: judges 'q' and 'd' again"]),
        (read_qrels, "", [":1: holds no judgment"]),
        (read_run, "q Q0 d 1 0.5 t\nq Q0 d 2 0.4 t\nq d\nq Q0 e 3 nan t", [":2: ranks 'd'", ":3: needs", ":4: needs"]),
        (read_run, "\n", [":1: holds no ranking"]),
        (
            read_questions,
            '{"id": "a"}\n{"id": "b", "text": " "}\n{"text": "x"}',
            [":1: `text`", ":2: asks nothing", ":3: has no text in `id`"],
        ),
        (read_questions, "", [":1: holds no question"]),
    ],
)  # fmt: skip
def test_every_fault_has_a_line(tmp_path: Path, read, text: str, messages: list[str]) -> None:
    (tmp_path / "file").write_text(text)
    with pytest.raises(InputError) as caught:
        read(tmp_path / "file")
    lines = str(caught.value).splitlines()
    assert len(lines) == len(messages)
    for line, message in zip(lines, messages, strict=True):
        assert f"file{message}" in line


def test_many_faults_are_counted(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x\n" * (SHOWN_FAULTS + 5))
    with pytest.raises(InputError, match="and 5 faults more"):
        read_run(tmp_path / "file")


def test_questions_may_name_their_fields_as_others_do(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text('{"qid": 7, "text": "x", "lang": "de", "split": "dev"}\n{"_id": "8", "document": "d", "split": "test"}')
    first, second = read_questions(path)
    assert (first.id, first.language, first.split, second.document, second.text) == ("7", "de", "dev", "d", "")
    assert read_questions(path, "test") == [second]
    (tmp_path / "qrels.tsv").write_text("7\td\t1\nother\td\t1")
    assert read_judgments(tmp_path / "qrels.tsv", [first, second]) == {"7": {"d": 1}, "8": {}}
