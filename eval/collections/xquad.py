"""XQuAD as this project divides it: articles that are trained on, and articles that figures are taken from."""

from __future__ import annotations

PARALLEL_LANGUAGES = ("en", "de", "es", "ro", "el")


def is_training_article(paragraph: str) -> bool:
    """Tell whether an XQuAD paragraph (`NNN-NNN`, article and paragraph) is trained on; the other articles are held out."""
    return int(paragraph.partition("-")[0]) % 2 == 0
