"""What index and service know of a language stands in its file too (`tests/ingest/languages` tries what ingest knows)."""

import subprocess
import sys
from pathlib import Path

import pytest

from pes_search.ingest.languages import FOLDER

LADINO = r"""
name: Ladino
stemmer: spanish
dictionary: es
taken_for: [gl]
negations: [nunka]
nouns_capitalised: true
not_stated: ['no se save']
field_words: {lessons: 'ambezar'}
"""
ASK = """
import sys
from pathlib import Path
from pes_search.ingest import languages

languages.FOLDER = Path(sys.argv[1])
from pes_search.index.query.spelling import _read_as
from pes_search.ingest.languages.dictionary import has_dictionary
from pes_search.index.text.tokens import terms
from pes_search.service.answers.names import names_of
from pes_search.service.answers.support import _negated
from pes_search.service.editing.comparison import _field_words, states

print(terms("empleos", "xx"), has_dictionary("xx"), _read_as().get("gl"))
print(_negated("Nunka biene", "xx"), names_of("El Autobus de Linz", "xx"))
print(states("El anyo no se save."), bool(_field_words("lessons", "xx").search("Work")))
"""
KNOWN = ["['emple'] True xx", "True []", "False False"]
UNKNOWN = ["['empleos'] False None", "False ['Autobus', 'Linz']", "True True"]


@pytest.mark.parametrize(("has_file", "expected"), [(True, KNOWN), (False, UNKNOWN)])
def test_one_more_file_is_one_more_language(tmp_path: Path, has_file: bool, expected: list[str]) -> None:
    """In a process of its own: what files say is kept for as long as a process runs."""
    for path in FOLDER.glob("*.yaml"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    if has_file:
        (tmp_path / "xx.yaml").write_text(LADINO, encoding="utf-8")
    run = subprocess.run([sys.executable, "-c", ASK, str(tmp_path)], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == expected
