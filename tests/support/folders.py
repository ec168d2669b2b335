"""Where the project's folders are."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "corpus"
KEPT = ROOT / "var" / "tests"  # what one run of the tests leaves to the next: vectors, and the index of the corpus
SHARED = ROOT.parent / "shared" / "data"  # test data that is no part of the project
