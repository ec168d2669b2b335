"""Copies and translations form groups, of which a search lists one; what is only alike does not."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from pes_search.index.build import write_documents
from pes_search.index.config import IndexConfig, SearchConfig
from pes_search.index.copies import CopyFinder, signature_of
from pes_search.index.encoders.base import Encoder
from pes_search.index.filters import Filters
from pes_search.index.open_index import OpenIndex, open_index
from pes_search.index.search import search
from pes_search.index.stores.files import FileStore
from pes_search.ingest.types import Block, Document, Passage

STORY = [
    "The mobile office of the employment service visits forty villages in a year and stops at the market place of each.",
    "Two counsellors and a driver bring a printer, a phone and the vacancies of the whole district with them.",
    "In 2019 they met 3,412 people, of whom 581 found work within six months; the year before it had been 2,960 and 470.",
    "The council pays a third of the EUR 210,000 that the bus costs in a year, and the regional fund pays the rest.",
    "People who never came to town ask about pensions first, and stay to talk about jobs when they have had a coffee.",
]
GERMAN = (
    "Das mobile Büro der Arbeitsverwaltung besucht im Jahr vierzig Dörfer und hält auf dem Marktplatz. Zwei Beratende und ein "
    "Fahrer bringen Drucker, Telefon und die offenen Stellen des ganzen Bezirks mit. 2019 trafen sie 3.412 Menschen, von denen "
    "581 binnen sechs Monaten Arbeit fanden; im Jahr davor waren es 2.960 und 470. Die Gemeinde zahlt ein Drittel der 210.000 "
    "Euro, die der Bus im Jahr kostet. Wer nie in die Stadt kam, fragt erst nach der Rente und bleibt dann auf einen Kaffee."
)
OTHER = (
    "A job club meets every Monday in the library, where members read each other's letters and practise interviews in pairs. "
)
CONFIG = SearchConfig()


def document(name: str, language: str = "en", **fields: object) -> Document:
    return Document(id=name, title=f"Bus {name}", kind="practice", language=language, sha256=name, path=f"{name}.txt", **fields)  # type: ignore[arg-type]


def groups(texts: dict[str, str], means: dict[str, list[float]] | None = None, **languages: str) -> list[list[str]]:
    finder = CopyFinder()
    for name, text in texts.items():
        mean = np.array((means or {}).get(name, [1.0, 0.0]), np.float32)
        of = document(name, languages.get(name, "en"))
        finder.add(signature_of(of, [Passage(name, name, None, 0, len(text), (), "en", text)]), mean)
    return [[one for one, _ in group] for group in finder.groups()]


@pytest.mark.parametrize(
    "changed",
    [
        " ".join(["Reported from the spring meeting.", *STORY, "Read the next issue for more."]),
        " ".join(STORY).upper().replace(" ", "\n"),
        " ".join(STORY[:3]),
    ],
    ids=["other head and foot", "other lines and capitals", "cut"],
)
def test_a_changed_copy_is_found_and_the_fuller_one_stands_for_both(changed: str) -> None:
    found = groups({"b": " ".join(STORY), "a": changed, "other": OTHER * 4})
    assert sorted(found[0]) == ["a", "b"]
    assert found[0][0] == max("ab", key=lambda name: len({"a": changed, "b": " ".join(STORY)}[name]))
    assert len(found) == 1


def test_a_newsletter_is_no_copy_of_a_story_that_it_holds() -> None:
    others = [" ".join(f"{word}{number}" for word in OTHER.split()) for number in range(5)]
    assert groups({"story": " ".join(STORY), "newsletter": " ".join([*STORY, *others])}) == []


def test_a_form_filled_in_twice_is_no_copy() -> None:
    form = "Name of the practice: {}. Country: {}. Who runs it: {}. Who is helped: {}. What it costs: {}. What came of it: {}."
    first = form.format("Mobile office", "Belgium", "VDAB", "people in villages far from town", "210,000 a year", "581 jobs")
    second = form.format("Job club", "Austria", "AMS", "graduates of technical schools", "a room and a coach", "nothing yet")
    assert groups({"a": first, "b": second}) == []


def test_short_texts_are_not_compared() -> None:
    assert groups({"a": "A job fair for jobseekers.", "b": "A job fair for jobseekers."}) == []


def test_the_best_described_stands_for_the_others_then_the_newest() -> None:
    finder = CopyFinder()
    text = " ".join(STORY)
    for one in (
        document("new", date="2024-01-01"),
        document("old", date="2020-01-01"),
        document("described", countries=("BE",), organisation="VDAB"),
    ):
        signature = signature_of(one, [Passage(one.id, one.id, None, 0, len(text), (), "en", text)])
        finder.add(signature, np.array([1.0, 0.0], np.float32))
    assert finder.groups() == [[("described", "en"), ("new", "en"), ("old", "en")]]


def test_a_translation_has_a_near_vector_and_the_same_figures() -> None:
    french = "Un autre bureau mobile visite des villages. En 2019 il a reçu 77 personnes, dont 8 ont trouvé un emploi. " * 7
    texts = {"english": " ".join(STORY), "german": GERMAN, "french": french}
    near, far = [1.0, 0.0], [0.5, float(np.sqrt(0.75))]
    means = {"english": near, "german": [0.9, float(np.sqrt(1 - 0.81))], "french": near}
    assert groups(texts, means, german="de", french="fr") == [["english", "german"]]
    assert groups(texts, {**means, "german": far}, german="de", french="fr") == []
    assert groups(texts, means) == []  # of one language: by their words alone


def test_rows_that_differ_in_their_figures_only_are_no_copies() -> None:
    row = f"The scheme pays {{}} euros to {{}} people in a year, of whom {{}} found work; {OTHER}"
    assert groups({"a": row.format(1200, 431, 88), "b": row.format(950, 77, 12)}) == []


# ── In an index ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def index(encoder: Encoder, cache_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> OpenIndex:
    """A story, a copy of it, its translation, and thirty others."""
    store = FileStore(tmp_path_factory.mktemp("copies"))
    writer = store.writer()
    documents = [
        (document("story", countries=("BE",)), [Block("paragraph", text) for text in STORY]),
        (document("copy"), [Block("paragraph", " ".join(["Forwarded.", *STORY]))]),
        (document("translated", "de"), [Block("paragraph", GERMAN)]),
        *(
            (
                document(f"other{number:02}"),
                [Block("paragraph", f"{OTHER} They met {number + 100} times in room {number + 500}.")],
            )
            for number in range(30)
        ),
    ]
    try:
        write_documents(documents, writer, encoder, cache_dir=cache_dir, config=IndexConfig())
    finally:
        writer.discard()
    return open_index(store)


def test_a_search_lists_one_of_a_group_and_names_the_others(index: OpenIndex, encoder: Encoder) -> None:
    result = search("a bus that visits villages", index, encoder, CONFIG)
    first = result.hits[0]
    assert (first.document.id, sorted(other.id for other in first.also)) == ("story", ["copy", "translated"])
    assert not {"copy", "translated"} & {hit.document.id for hit in result.hits}
    assert result.total == 33 - 2


def test_who_asks_in_german_gets_the_german_one(index: OpenIndex, encoder: Encoder) -> None:
    result = search("Welches mobile Büro der Arbeitsverwaltung besucht Dörfer?", index, encoder, CONFIG)
    assert result.language == "de"
    assert (result.hits[0].document.id, {other.id for other in result.hits[0].also}) == ("translated", {"story", "copy"})


def test_a_filter_that_only_a_copy_passes_shows_the_copy(index: OpenIndex, encoder: Encoder) -> None:
    result = search("a bus that visits villages", index, encoder, CONFIG, filters=Filters(language=("de",)))
    assert [hit.document.id for hit in result.hits] == ["translated"]
    assert result.total == 1


def test_pages_of_a_list_with_groups_join_up(index: OpenIndex, encoder: Encoder) -> None:
    pages = [search("a bus or a job club", index, encoder, CONFIG, k=4, offset=offset).hits for offset in range(0, 36, 4)]
    listed = [hit.document.id for page in pages for hit in page]
    assert len(listed) == len(set(listed)) == 31
    assert all(len({*pair}) == 2 for pair in combinations(listed, 2))


# ── As editors decided ──────────────────────────────────────────────────────────────────────────────────────────────

BUS = "a bus that visits villages"


def listed(query: str, index: OpenIndex, encoder: Encoder) -> dict[str, list[str]]:
    """Return what a search lists of the story and its forms, each with what it stands for."""
    hits = search(query, index, encoder, CONFIG, k=100).hits
    return {hit.document.id: sorted(other.id for other in hit.also) for hit in hits if not hit.document.id.startswith("other")}


def test_what_is_parted_is_listed_by_itself(index: OpenIndex, encoder: Encoder) -> None:
    parted = index.decided({("copy", "story"): False, ("copy", "translated"): False})
    assert listed(BUS, parted, encoder) == {"story": ["translated"], "copy": []}
    assert search(BUS, parted, encoder, CONFIG).total == 33 - 1
    assert listed(BUS, index, encoder) == {"story": ["copy", "translated"]}  # the other one is as it was


def test_what_is_parted_from_all_leaves_them_together(index: OpenIndex, encoder: Encoder) -> None:
    parted = index.decided({("copy", "story"): False, ("story", "translated"): False})
    assert listed(BUS, parted, encoder) == {"story": [], "copy": ["translated"]}
    assert parted.copies.groups == [("copy", "translated")]


def test_what_is_confirmed_is_one_and_the_best_described_stands_for_it(index: OpenIndex, encoder: Encoder) -> None:
    confirmed = index.decided({("copy", "other00"): True})
    assert confirmed.copies.groups == [("story", "copy", "other00", "translated")]
    result = search("members read letters in room 500", confirmed, encoder, CONFIG, k=100)
    assert "other00" not in [hit.document.id for hit in result.hits]
    assert result.total == 33 - 3
    alone = index.decided({("other00", "other01"): True})
    assert alone.copies.groups == [("story", "copy", "translated"), ("other00", "other01")]
    assert alone.copies.language_of("other01") == "en"


def test_the_querys_language_comes_first_in_a_decided_group_too(index: OpenIndex, encoder: Encoder) -> None:
    decided = index.decided({("copy", "story"): False, ("copy", "translated"): False, ("story", "translated"): True})
    german = "Welches mobile Büro der Arbeitsverwaltung besucht Dörfer?"
    assert listed(german, decided, encoder) == {"translated": ["story"], "copy": []}
    assert listed(BUS, decided, encoder) == {"story": ["translated"], "copy": []}
