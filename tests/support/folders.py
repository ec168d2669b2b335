"""Where the project's folders are."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "corpus"
SHARED = ROOT.parent / "shared" / "data"  # test data that is no part of the project
