"""Labelled values become terms of the lists, and what the document has already stays."""

import pytest

from pes_search.ingest.stated_terms import StatedTerms
from pes_search.ingest.taxonomy import NO_TAXONOMY, Taxonomy
from pes_search.ingest.types import Document

TAXONOMY = Taxonomy.from_values(
    {
        "target-groups": [
            {"id": "young", "terms": {"en": ["young people"], "de": ["junge Menschen"]}, "plain": {"en": ["youth"]}},
            {"id": "disabled", "terms": {"en": ["disabled people"]}},
            {"id": "ltu", "terms": {"en": ["long-term unemployed"]}, "tags": ["LTU"]},
            {"id": "unemployed", "terms": {"en": ["unemployed"]}},
        ],
        "measure-types": [{"id": "vouchers", "terms": {"en": ["training vouchers"]}}],
    }
)


def document(language: str = "en", **values: object) -> Document:
    return Document(id="d", title="", kind="", language=language, sha256="", path="", **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        ("Workers: Unemployed; Youth (18-25) in employment | Citizens: Does not apply to citizens", ("unemployed", "young")),
        ("Long-term unemployed", ("ltu",)),  # not the shorter one as well
        ("Disabled workers", ("disabled",)),
        ("LTUs", ("ltu",)),
        ("not for young people", ()),
        ("Everybody", ()),
    ],
)
def test_labels_are_found_within_values(value: str, ids: tuple[str, ...]) -> None:
    assert StatedTerms(TAXONOMY).added_to(document(), {"target_groups": [value]}).target_groups == ids


def test_labels_are_of_the_documents_language_or_english() -> None:
    assert StatedTerms(TAXONOMY).added_to(document("de"), {"target_groups": ["Junge Menschen"]}).target_groups == ("young",)
    assert StatedTerms(TAXONOMY).added_to(document("fr"), {"target_groups": ["Junge Menschen"]}).target_groups == ()


def test_what_the_document_has_stays() -> None:
    given = document(target_groups=("women",))
    stated = {"target_groups": ["young people"], "measure_types": ["Training vouchers"]}
    described = StatedTerms(TAXONOMY).added_to(given, stated)
    assert (described.target_groups, described.measure_types) == (("women",), ("vouchers",))
    assert StatedTerms(NO_TAXONOMY).added_to(given, stated) == given
