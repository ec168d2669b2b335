import json

import numpy as np
import pytest

from pes_search.index.query.expansion import Expansion
from pes_search.index.types import DocumentText, Hit, NamedFilter, Query, QueryConcept, Scores, SearchResult
from pes_search.ingest.types import Document, Page, Passage
from pes_search.service.api.schemas import deep_link, document_detail, document_out, hit_out, passage_out, search_out
from pes_search.service.engine import Spelling

PDF = "application/pdf"


def report(url: str | None = "https://example.org/report.pdf", media_type: str = PDF) -> Document:
    return Document(
        id="report",
        title="A report",
        kind="report",
        language="de",
        sha256="0" * 64,
        path="reports/report.pdf",
        url=url,
        year=2020,
        countries=("DE", "AT"),
        evidence="control-group",
        related=("other",),
        media_type=media_type,
    )


def passage(start: int, text: str) -> Passage:
    end = start + len(text)
    return Passage(f"report~p3~{start}-{end}", "report", 3, start, end, ("A report", "Results"), "de", text)


@pytest.mark.parametrize(
    ("url", "media_type", "page", "link"),
    [
        ("https://example.org/r.pdf", PDF, 3, "https://example.org/r.pdf#page=3"),
        ("https://example.org/r.pdf#toc", PDF, 3, "https://example.org/r.pdf#page=3"),  # only one fragment can be
        ("https://example.org/r?id=1", PDF, 3, "https://example.org/r?id=1#page=3"),
        ("https://example.org/r.pdf", PDF, None, "https://example.org/r.pdf"),
        ("https://example.org/r#results", "text/html", None, "https://example.org/r#results"),
        (None, PDF, 3, None),
    ],
)
def test_a_link_leads_to_the_page(url: str | None, media_type: str, page: int | None, link: str | None) -> None:
    assert deep_link(report(url, media_type), page) == link


def test_a_hit_carries_its_source_and_its_other_passages() -> None:
    other = Hit(2, 0.8, Scores(0.1, 0.78, 0.7, 0.2, 0.1), passage(20, "men"), report())
    best = Hit(
        rank=1,
        score=0.9,
        scores=Scores(0.5, 0.8, 0.7, 0.2, 0.1),
        passage=passage(4, "back to work"),
        document=report(),
        highlights=((0, 4), (8, 12)),
        passages=(other,),
    )
    values = hit_out(best).model_dump()
    assert {name: value for name, value in values.items() if name != "passages"} == {
        "rank": 1,
        "score": 0.9,
        "document_id": "report",
        "passage_id": "report~p3~4-16",
        "title": "A report",
        "visibility": "",
        "kind": "report",
        "countries": ["DE", "AT"],
        "year": 2020,
        "end_year": None,
        "organisation": None,
        "language": "de",
        "evidence": "control-group",
        "inferred": [],
        "page": 3,
        "place": "page 3",
        "recognition_confidence": None,
        "also": [],
        "newer": None,
        "headings": ["A report", "Results"],
        "text": "back to work",
        "highlights": [(0, 4), (8, 12)],
        "url": "https://example.org/report.pdf#page=3",
        "lexical": 0.5,
        "dense": 0.8,
        "topic": 0.7,
        "agreement": 0.2,
        "labels": 0.1,
        "questions": 0.0,
    }
    assert [(each["rank"], each["passage_id"], each["text"]) for each in values["passages"]] == [(2, "report~p3~20-23", "men")]


def test_a_search_becomes_plain_json() -> None:
    hit = Hit(1, 0.9, Scores(0.5, 0.8, 0.7, 0.2, 0.1), passage(4, "back to work"), report(), highlights=((0, 4),))
    facets = {"country": {"DE": 1, "AT": 1}}
    concept = QueryConcept("target_group", "women-returners", "Wiedereinsteigerinnen", 0.4, 2)
    expansion = Expansion("LZA", "long-term unemployment")
    query = Query("Zurück", "de", {}, np.zeros(3, np.float32), {}, [])
    named = NamedFilter("country", "AT", "Österreich", 1)
    result = SearchResult(
        query="Zurück",
        parsed_query=query,
        language="de",
        index_id="abc",
        hits=(hit,),
        concepts=(concept,),
        expansions=(expansion,),
        named_filters=(named,),
        total=7,
        matching=5,
        further=2,
        absent_phrases=("nie",),
        facets=facets,
        took_ms=1.5,
    )
    values = json.loads(json.dumps(search_out(result, Spelling("Zurück?", None)).model_dump()))
    assert set(values) == {
        *("query", "language", "index_id", "took_ms", "total", "hits", "concepts", "expansions", "did_you_mean", "facets"),
        *("matching", "further", "nothing_relevant", "absent_phrases", "named_filters", "put_right"),
    }
    assert (values["matching"], values["further"], values["nothing_relevant"]) == (5, 2, False)
    assert values["named_filters"] == [{"filter": "country", "value": "AT", "word": "Österreich", "documents": 1}]
    assert (values["did_you_mean"], search_out(result).did_you_mean) == ("Zurück?", None)
    assert (values["query"], values["language"], values["total"], values["facets"]) == ("Zurück", "de", 7, facets)
    assert values["concepts"] == [
        {"filter": "target_group", "id": "women-returners", "label": "Wiedereinsteigerinnen", "share": 0.4, "documents": 2}
    ]
    assert values["expansions"] == [{"found": "LZA", "added": "long-term unemployment"}]
    assert values["hits"][0]["highlights"] == [[0, 4]]


def test_a_document_is_given_with_all_its_metadata() -> None:
    values = document_out(report()).model_dump()
    left_out = {"questions", "links", "figures"}  # the first two are no part of it, the others come with the text
    assert set(values) == set(Document.__dataclass_fields__) - left_out
    assert values["countries"] == ["DE", "AT"]
    assert values["related"] == ["other"]
    assert values["native_title"] is None


def test_a_document_in_full_holds_pages_and_passages() -> None:
    part = passage(4, "back to work")
    detail = document_detail(DocumentText(report(), [Page("report", 3, "Go, back to work")], [part]), "abc")
    assert detail.index_id == "abc"
    assert [(page.number, page.text) for page in detail.pages] == [(3, "Go, back to work")]
    assert detail.passages == [passage_out(report(), part)]
    assert detail.passages[0].url == "https://example.org/report.pdf#page=3"
    assert detail.pages[0].text[detail.passages[0].start : detail.passages[0].end] == detail.passages[0].text
