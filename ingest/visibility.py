"""Who may read a document: everybody, or only who may read its label, such as `internal`.

A label comes from the file itself (front matter) or from where the file lies (`[visibility]`, `[[source]] visibility`). Nothing
that is said takes protection away: a document that has several labels is read only by who may read all of them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from pathlib import Path

PUBLIC = "public"  # how people write that a document has no label
AND = "+"  # between the labels of a document that has several
LABEL = re.compile(r"[a-z0-9-]+")


def read_label(value: object) -> str:
    """Return a label as it was written; empty for a document that everybody may read.

    Raises:
        ValueError: it is no label.
    """
    if value is None:
        return ""
    label = value.strip().lower() if isinstance(value, str) else None
    if label is None or (label and not LABEL.fullmatch(label)):
        raise ValueError(f"{value!r} is no label; write one word of a-z, 0-9 and hyphens, such as internal")
    return "" if label == PUBLIC else label


def combined(*visibilities: str) -> str:
    """Return the visibility of a document of which all of these are said: whoever reads it may read every label."""
    return AND.join(sorted({label for visibility in visibilities for label in labels_of(visibility)}))


def labels_of(visibility: str) -> frozenset[str]:
    """Return the labels that somebody must be allowed to read; none for a public document."""
    return frozenset(visibility.split(AND)) if visibility else frozenset()


def is_visible(visibility: str, reads: Collection[str] | None) -> bool:
    """Tell whether somebody who may read these labels, None: all, may read a document."""
    return reads is None or labels_of(visibility).issubset(reads)


class PlaceLabels:
    """The labels of files by where they lie."""

    def __init__(self, places: Mapping[str, str] | None = None) -> None:
        """`places` has folders and files with their labels; the longest path that a file is under counts."""
        # A folder may be reached by a link, from either side.
        self._places: dict[str, str] = {}
        for place, label in (places or {}).items():
            for path in _ways(place):
                self._places[path] = combined(label, self._places.get(path, ""))

    def label(self, path: Path) -> str:
        """Return the label of a file, empty where it has none."""
        return combined(*(self._nearest(Path(way)) for way in _ways(path)))

    def _nearest(self, path: Path) -> str:
        return next((self._places[str(one)] for one in (path, *path.parents) if str(one) in self._places), "")


NO_PLACES = PlaceLabels()


def _ways(path: str | Path) -> set[str]:
    return {os.path.abspath(path), os.path.realpath(path)}
