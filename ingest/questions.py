"""Questions that a document answers, in everyday words: they help to find it, and are never shown as its text.

They stand in the document's front matter (`questions:`), in a file beside it (`report.pdf.questions.yaml`), or in a folder
`questions` of the source, named by the document's id or file (`questions/de-power-m.yaml`), by language:

    en:
      - "how do we get mums back to work?"
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml
from pydantic import ConfigDict, TypeAdapter, ValidationError

from pes_search.ingest.types import Question

FOLDER = "questions"
QUESTION_VECTORS = "question_vectors.npz"  # beside the files: what an index has encoded of them (`index.evidence.text_vectors`)
BESIDE = ".questions.yaml"  # after the document's file name
LARGEST_BYTES = 1_000_000
MOST_QUESTIONS = 1_000  # of a document
MOST_CHARACTERS = 500  # of a question

_SCHEMA = TypeAdapter(dict[str, list[str]], config=ConfigDict(strict=True))


class QuestionFileError(ValueError):
    """A file with questions cannot be used."""


def read_questions(path: Path) -> list[Question]:
    """Read a file with questions.

    Raises:
        QuestionFileError: it cannot be read, or does not hold questions by language.
    """
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise QuestionFileError(f"larger than {LARGEST_BYTES:,} bytes; keep fewer questions")
        content = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)  # reads fifteen times as fast
    except OSError as error:
        raise QuestionFileError(f"cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise QuestionFileError(f"is no YAML: {' '.join(str(error).split())}") from error
    return checked_questions(content)


def checked_questions(content: object) -> list[Question]:
    """Return questions by language as pairs, without repeats.

    Raises:
        QuestionFileError: they are not by language, or too many or too long.
    """
    try:
        by_language: Mapping[str, Sequence[str]] = _SCHEMA.validate_python(content or {})
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"]))
        raise QuestionFileError(f'{place or "the file"}: write questions by language, `en: ["…"]`') from error
    questions = [(language, " ".join(text.split())) for language, texts in by_language.items() for text in texts]
    if too_long := next((text for _, text in questions if len(text) > MOST_CHARACTERS), None):
        raise QuestionFileError(f"a question has {len(too_long)} characters, {MOST_CHARACTERS} at most; shorten it")
    if len(questions) > MOST_QUESTIONS:
        raise QuestionFileError(f"{len(questions)} questions, {MOST_QUESTIONS} at most; keep fewer")
    return [question for question in dict.fromkeys(questions) if question[1]]
