"""Related documents say why they are, and copies stand apart."""

from pathlib import Path

import pytest

from pes_search.index.build import build_index
from pes_search.index.config import IndexConfig
from pes_search.index.encoders.base import Encoder
from pes_search.index.filters import Filters
from pes_search.index.open_index import OpenIndex, open_index
from pes_search.index.stores.files import FileStore
from pes_search.service.editing.related import relations

TEXT = """---
id: {id}
kind: practice
countries: [AT]
target_groups: [women-returners]
measure_types: [voucher]
---

# {title}

Parents who were at home for years get a voucher and choose a course with it. An adviser helps them to find work with firms in
the region afterwards. {more}
"""


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder, cache_dir: Path) -> OpenIndex:
    folder = tmp_path_factory.mktemp("related")
    for name, title, more in (
        ("one", "Vouchers for parents", "It costs 100 euros."),
        ("copy", "Vouchers for parents", "It costs 120 euros."),
    ):
        (folder / f"{name}.md").write_text(TEXT.format(id=name, title=title, more=more))
    (folder / "other.md").write_text(
        "---\nid: other\nkind: practice\ntarget_groups: [women-returners]\n---\n\n# A bus with advisers\n\n"
        "A bus stops in villages on market days. Two advisers talk with women who are not registered anywhere.\n"
    )
    (folder / "far.md").write_text("---\nid: far\nkind: practice\n---\n\n# Snow\n\nSnow ploughs clear the roads in winter.\n")
    store = FileStore(tmp_path_factory.mktemp("index"))
    build_index([str(folder)], store, lambda: encoder, model="m", cache_dir=cache_dir, config=IndexConfig())
    return open_index(store)


def test_a_copy_is_no_related_document(index: OpenIndex) -> None:
    found = relations("one", index, k=5)
    assert [hit.document.id for hit in found.same] == ["copy"]
    assert "copy" not in [one.hit.document.id for one in found.related]


def test_what_says_the_same_is_listed_once(index: OpenIndex) -> None:
    found = relations("far", index, k=5)
    listed = {one.hit.document.id: [document.id for document in one.hit.also] for one in found.related}
    assert sorted([*listed, *(name for same in listed.values() for name in same)]) == ["copy", "one", "other"]
    assert len(listed) == 2


def test_what_editors_decided_counts_here_too(index: OpenIndex) -> None:
    parted = relations("one", index.decided({("copy", "one"): False}), k=5)
    assert (parted.same, parted.related[0].hit.document.id) == ((), "copy")
    confirmed = relations("one", index.decided({("far", "one"): True}), k=1)  # however far it is
    assert [hit.document.id for hit in confirmed.same] == ["copy", "far"]
    assert [one.hit.document.id for one in confirmed.related] == ["other"]
    filtered = relations("one", index, k=5, filters=Filters(target_group="women-returners", country="AT"))
    assert ([hit.document.id for hit in filtered.same], filtered.related) == (["copy"], ())
    assert relations("far", index.decided({("copy", "one"): False}), k=5).related[2:] != ()


def test_the_reasons_are_what_both_have(corpus_index: OpenIndex) -> None:
    (first,) = relations("de-power-m", corpus_index, k=1, filters=Filters(kind="practice")).related
    reasons = {reason.name: reason.terms for reason in first.reasons}
    assert reasons.keys() <= {"topic", "people", "measure", "channel"}
    assert set(reasons["people"]) <= set(first.hit.document.target_groups)
