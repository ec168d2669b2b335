"""A system that cannot be run is named, with what to do about it."""

import sys

import pytest

from pes_search.eval.experiments.peers import _peer, main
from pes_search.ingest.errors import PesSearchError


def test_a_system_that_is_not_installed_is_named_with_the_next_command() -> None:
    task = {"threads": 1, "model": "none", "query_prompt": "", "passage_prompt": "", "passages": [], "queries": {}}
    with pytest.raises(PesSearchError, match=r"txtai failed: ModuleNotFoundError.*make bench-peers"):
        _peer(sys.executable, "txtai", task, {})


def test_the_interpreter_must_be_named() -> None:
    with pytest.raises(SystemExit):
        main([])
