"""The controlled lists."""

from pathlib import Path

import pytest
import yaml

from pes_search.ingest.errors import TaxonomyError
from pes_search.ingest.taxonomy import (
    ACRONYM_LANGUAGES,
    EU_LANGUAGES,
    REQUIRED,
    Concept,
    Taxonomy,
    check_taxonomy,
    read_taxonomy,
)


def concept(concept_id: str, **values: object) -> dict[str, object]:
    """Return a concept that every list takes."""
    return {
        "id": concept_id,
        "tags": [f"tag of {concept_id}"],
        "country": "DE",
        "short": {"en": [concept_id.upper()]},
        "terms": {language: [f"{concept_id} term {language}"] for language in EU_LANGUAGES},
        "plain": {
            language: [f"{concept_id} plain {language} {number}" for number in range(4 if language == "en" else 1)]
            for language in EU_LANGUAGES
        },
    } | values


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in REQUIRED:
        write(tmp_path, name, [concept("a"), concept("b", broader=["a"]), concept("c", broader=["b"])])
    return tmp_path


def write(folder: Path, name: str, concepts: object) -> None:
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(concepts, allow_unicode=True, sort_keys=False), "utf-8")


def faults(folder: Path) -> list[str]:
    return [str(fault).removeprefix(str(folder) + "/") for fault in check_taxonomy(folder)[1]]


def test_a_whole_taxonomy_is_read(folder: Path) -> None:
    taxonomy = read_taxonomy(folder)
    assert list(taxonomy.lists) == list(REQUIRED)
    assert list(taxonomy.lists["channels"]) == ["a", "b", "c"]
    assert taxonomy.label("channels", "a") == "a term en"
    assert taxonomy.label("channels", "a", "pl") == "a term pl"
    assert taxonomy.label("channels", "a", "xx") == "a term en"
    assert taxonomy.label("channels", "unknown") == "unknown"
    assert taxonomy.tagged("channels", "tag of b") == ["b"]
    assert Taxonomy.from_values(taxonomy.values()) == taxonomy


def test_broader_concepts_come_after_the_own_ones(folder: Path) -> None:
    taxonomy = read_taxonomy(folder)
    assert taxonomy.with_broader("channels", ["c"]) == ("c", "b", "a")
    assert taxonomy.with_broader("channels", ["a", "free tag"]) == ("a", "free tag")
    assert taxonomy.with_broader("no list", ["c"]) == ("c",)


def test_any_label_in_any_language_names_its_concept(folder: Path) -> None:
    names = read_taxonomy(folder).names("channels")
    for name in ("b", "tag of b", "b term el", "b plain en 3"):
        assert names[name] == {"b"}


def test_labels_hold_earlier_names_and_acronyms_once() -> None:
    found = Concept.model_validate(
        {
            "id": "x",
            "short": {"el": ["ΔΥΠΑ"]},
            "terms": {"el": ["Υπηρεσία"], "en": ["DYPA"]},
            "earlier": [{"name": "OAED"}],
        }
    )
    assert found.labels() == ["ΔΥΠΑ", "Υπηρεσία", "DYPA", "OAED"]
    assert found.label("fr") == "DYPA"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"id": "B c"}, "`id` is 'B c', which has not the form"),
        ({"id": "a"}, "the id 'a' is taken"),
        ({"colour": "red"}, "`colour` is no key of this file"),
        ({"broader": ["z"]}, "'z' is no other concept of this list"),
        ({"broader": ["b"]}, "'b' is no other concept of this list"),
        ({"broader": ["c"]}, "broader than itself"),
        ({"terms": {"en": []}}, "`terms.en` holds 0 and must hold 1 at least"),
        ({"terms": {"en": ["b", "B"]}}, "'B' stands there twice; keep one"),
        ({"terms": {"en": [" b"]}}, "`terms.en.0` is ' b', which has not the form"),
        ({"country": "Germany"}, "`country` is 'Germany', which has not the form"),
        ({"earlier": [{"name": "x", "until": 20}]}, "`earlier.0.until` is no key of this file"),
    ],
)
def test_a_faulty_concept_is_named(folder: Path, change: dict[str, object], fault: str) -> None:
    write(folder, "channels", [concept("a"), concept("b") | change, concept("c", broader=["b"])])
    found = [line for line in faults(folder) if fault in line]
    assert found
    assert found[0].startswith("channels.yaml:")
    with pytest.raises(TaxonomyError, match=r"cannot be used \(.*channels\.yaml:\d+: "):
        read_taxonomy(folder)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"terms": {"en": ["b"]}}, f"'b' has no terms in {', '.join(other for other in EU_LANGUAGES if other != 'en')}; add"),
        ({"plain": {}}, "has no plain in bg"),
    ],
)
def test_gaps_in_the_labels_are_faults_of_the_corpus_but_the_list_is_read(
    folder: Path, change: dict[str, object], fault: str
) -> None:
    write(folder, "channels", [concept("a"), concept("b") | change, concept("c", broader=["b"])])
    assert any(fault in line for line in faults(folder))
    assert list(read_taxonomy(folder).lists["channels"]) == ["a", "b", "c"]


def test_a_collection_may_have_some_of_the_lists_only(tmp_path: Path) -> None:
    write(tmp_path, "channels", [{"id": "a", "terms": {"en": ["a street"]}}])
    assert list(read_taxonomy(tmp_path).lists) == ["channels"]


def test_the_message_names_the_first_faults_and_counts_the_rest(folder: Path) -> None:
    write(folder, "channels", [{"id": str(number)} for number in range(9)])
    with pytest.raises(TaxonomyError, match=r"channels\.yaml:3: `terms` is missing; add it; 6 more\)"):
        read_taxonomy(folder)


def test_one_label_names_one_concept_of_a_language(folder: Path) -> None:
    write(folder, "channels", [concept("a"), concept("b") | {"plain": concept("b")["plain"] | {"de": ["A Term DE"]}}])  # type: ignore[operator]
    assert [line.partition(": ")[2] for line in faults(folder)] == [
        "'A Term DE' (de) is a label of 'a' too; make one of them tell more"
    ]


def test_four_plain_phrases_in_english(folder: Path) -> None:
    write(folder, "channels", [concept("a") | {"plain": concept("a")["plain"] | {"en": ["x", "y", "z"]}}])  # type: ignore[operator]
    assert "at least 4 plain phrases" in faults(folder)[0]


@pytest.mark.parametrize(("name", "key"), [("organisations", "country"), ("acronyms", "short")])
def test_what_a_list_needs_beyond_the_schema(folder: Path, name: str, key: str) -> None:
    write(folder, name, [{field: value for field, value in concept("a").items() if field != key}])
    assert faults(folder) == [f"{name}.yaml:1: 'a' has no `{key}`; add it"]


def test_acronyms_need_eight_languages_only(folder: Path) -> None:
    write(folder, "acronyms", [concept("a") | {"terms": {language: ["x"] for language in ACRONYM_LANGUAGES}, "plain": {}}])
    assert faults(folder) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: [", "channels.yaml:1: no valid YAML"),
        ("a: 1", "must be a list of concepts"),
        ("- id: a\n  id: b\n  terms: {en: [x]}", "channels.yaml:2: `id` stands there twice"),
        ("- a", "channels.yaml:1: "),
    ],
)
def test_a_file_that_is_no_list(folder: Path, text: str, fault: str) -> None:
    (folder / "channels.yaml").write_text(text, "utf-8")
    assert any(fault in line for line in faults(folder))


def test_missing_unreadable_and_unknown_files_are_named(folder: Path) -> None:
    (folder / "channels.yaml").unlink()
    (folder / "countries.yaml").write_bytes(b"\xff\xfe\xff")
    write(folder, "colours", [])
    assert sorted(line.partition(";")[0].partition(": ")[2][:24] for line in faults(folder)) == [
        "no UTF-8",
        "no list of this name is ",
        "this list is missing",
    ]
