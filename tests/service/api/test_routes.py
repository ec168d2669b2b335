import itertools
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import pytest
from folders import CORPUS
from starlette.testclient import TestClient

from pes_search.index.filters import FILTER_FIELDS, YEARS
from pes_search.service.engine import Engine

Files = dict[str, dict[str, Any]]
HIT = {
    "rank", "score", "document_id", "passage_id", "title", "visibility", "kind", "countries", "year", "end_year",
    "organisation", "language",
    "page", "place", "recognition_confidence",
    "headings", "text", "highlights", "url", "lexical", "dense", "topic", "agreement", "labels", "questions",
    "passages", "evidence", "inferred", "also", "newer",
}  # fmt: skip
QUERY = "reaching women after career breaks"


def search(client: TestClient, q: str = QUERY, **parameters: Any) -> dict[str, Any]:
    response = client.get("/api/v1/search", params={"q": q, **parameters})
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


# ── Search ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("query", "language", "at_most"),  # the place where it has to be at the latest
    [
        ("reaching women after career breaks", "en", 1),
        ("Wie erreicht man Frauen nach der Familienpause?", "de", 1),
        ("toucher les femmes après une interruption de carrière", "fr", 3),
        ("llegar a las mujeres tras una interrupción de la carrera", "es", 1),
        ("chegar às mulheres após interrupções de carreira", "pt", 3),
        ("dotarcie do kobiet po przerwie w karierze", "pl", 3),
    ],
)
def test_the_same_practice_is_found_in_every_language(client: TestClient, query: str, language: str, at_most: int) -> None:
    body = search(client, query, k=at_most)
    assert "de-power-m" in [hit["document_id"] for hit in body["hits"]]
    assert body["language"] == language


def test_a_search_has_the_documented_shape(client: TestClient, engine: Engine) -> None:
    body = search(client, k=2)
    assert set(body) == {
        *("query", "language", "index_id", "took_ms", "total", "hits", "concepts", "expansions", "did_you_mean", "facets"),
        *("matching", "further", "nothing_relevant", "absent_phrases", "named_filters", "put_right"),
    }
    assert (body["query"], body["did_you_mean"], body["put_right"]) == (QUERY, None, None)
    assert body["index_id"] == engine.index().manifest.index_id
    assert body["took_ms"] > 0
    assert 2 < body["total"] == body["matching"] < engine.index().manifest.documents == body["matching"] + body["further"]
    assert (body["nothing_relevant"], body["absent_phrases"]) == (False, [])
    assert set(body["facets"]) == {*FILTER_FIELDS, *YEARS, "year"}
    first = body["hits"][0]
    assert set(first) == HIT
    assert (first["rank"], first["title"], first["kind"]) == (1, "power_m – return to work after a family break", "practice")
    assert (first["countries"], first["year"], first["language"], first["page"]) == (["DE"], 2009, "en", None)
    assert first["url"] == "https://www.power-m.net/ueber-power-m/finanzierung/"


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"yearfrom": 2021}, "did you mean year_from?"),
        ({"country": "Osterreich"}, "did you mean AT (Österreich)"),
        ({"country": "BE,IE"}, "country=BE&country=IE"),
        ({"year_from": 2022, "year_to": 2019}, "give the earlier year first"),
        ({"q": "women kind:practise"}, "did you mean practice?"),
    ],
)
def test_what_it_does_not_know_is_told_with_the_nearest(client: TestClient, parameters: dict[str, Any], told: str) -> None:
    response = client.get("/api/v1/search", params={"q": QUERY, **parameters})
    assert response.status_code == 422
    assert told in response.json()["detail"]


def test_a_query_about_something_else_finds_nothing_unless_all_is_asked_for(client: TestClient) -> None:
    nothing = search(client, "how do I cook rice")
    assert (nothing["nothing_relevant"], nothing["total"], nothing["hits"]) == (True, 0, [])
    assert nothing["further"] == search(client, "how do I cook rice", all=True)["total"]


def test_spelling_is_put_right_where_nothing_is_found_with_the_way_back(client: TestClient) -> None:
    right = search(client, "kozmunka kepzes")
    assert (right["query"], right["put_right"], right["did_you_mean"]) == ("közmunka képzés", "kozmunka kepzes", None)
    typed = search(client, "kozmunka kepzes", as_typed=True)
    assert (typed["query"], typed["put_right"], typed["did_you_mean"]) == ("kozmunka kepzes", None, "közmunka képzés")


def test_a_country_and_a_year_in_plain_words_are_suggested(client: TestClient) -> None:
    named = search(client, "vouchers in Croatia 2022")["named_filters"]
    assert [(one["filter"], one["value"], one["word"]) for one in named] == [
        ("country", "HR", "Croatia"),
        ("year", "2022", "2022"),
    ]


def test_highlights_are_the_words_of_the_query(client: TestClient) -> None:
    hits = search(client, "career breaks of parents", k=5)["hits"]
    marked = {
        hit["text"][start:end].casefold()
        for hit in hits
        for each in (hit, *hit["passages"])
        for start, end in hit["highlights"]
    }
    assert marked >= {"parents", "break"}  # by their stem
    assert marked <= {"career", "careers", "break", "breaks", "parent", "parents"}


def test_hits_are_ranked_by_score_and_carry_further_passages_of_their_document(client: TestClient) -> None:
    hits = search(client, all=True)["hits"]
    assert [hit["rank"] for hit in hits] == list(range(1, 11))
    assert all(better["score"] >= worse["score"] for better, worse in itertools.pairwise(hits))
    assert len({hit["document_id"] for hit in hits}) == 10
    assert [other["rank"] for other in hits[0]["passages"]] == [2, 3]  # three a document, the hit included
    for hit in hits:
        # Of those that a retriever brought up.
        assert [other["rank"] for other in hit["passages"]] == [2, 3][: len(hit["passages"])]
        assert all(other["passage_id"].startswith(hit["document_id"] + "~") for other in hit["passages"])
        assert all(set(other) < HIT for other in hit["passages"])


def test_passages_can_be_hits_of_their_own(client: TestClient) -> None:
    body = search(client, k=20, group="passage", all=True)
    passages = [hit["passage_id"] for hit in body["hits"]]
    documents = [hit["document_id"] for hit in body["hits"]]
    assert len(set(passages)) == 20
    assert len(set(documents)) < 20
    assert all(hit["passages"] == [] for hit in body["hits"])
    assert body["total"] > search(client, all=True)["total"]


@pytest.mark.parametrize("group", ["document", "passage"])
def test_pages_of_results_join_without_a_gap(client: TestClient, group: str) -> None:
    whole = search(client, k=6, group=group)["hits"]
    parts = [hit for offset in (0, 4) for hit in search(client, k=4, offset=offset, group=group)["hits"]]
    assert parts[:6] == whole
    assert [hit["rank"] for hit in parts] == [1, 2, 3, 4, 5, 6, 7, 8]


def test_all_documents_can_be_paged_through(client: TestClient) -> None:
    body = search(client, k=1000, all=True)
    assert len(body["hits"]) == body["total"] == body["matching"] + body["further"]
    assert search(client, offset=body["total"], all=True)["hits"] == []


@pytest.mark.parametrize(
    ("filters", "passes"),
    [
        ({"country": "LV"}, lambda file: "LV" in file["countries"]),
        ({"country": "lv"}, lambda file: "LV" in file["countries"]),
        ({"country": "Lettland"}, lambda file: "LV" in file["countries"]),
        ({"country": ["LV", "LU"]}, lambda file: {"LV", "LU"} & set(file["countries"])),
        ({"kind": "news"}, lambda file: file["kind"] == "news"),
        ({"country": "DE", "kind": "practice"}, lambda file: file["kind"] == "practice" and "DE" in file["countries"]),
        ({"target_group": "women-returners"}, lambda file: "women-returners" in file["target_groups"]),
        ({"target_group": "women returners"}, lambda file: "women-returners" in file["target_groups"]),
        ({"target_group": "mieszkańcy wsi"}, lambda file: {"rural-residents", "rural-youth"} & set(file["target_groups"])),
        ({"measure_type": "hidden-job-market"}, lambda file: "hidden-job-market" in file["measure_types"]),
        ({"channel": "home-visits"}, lambda file: "home-visits" in file.get("channels", ())),
        ({"evidence": "Kontrollgruppe"}, lambda file: file.get("evidence", {}).get("strength") == "control-group"),
        ({"year_to": 2000}, lambda file: file.get("start", 9999) <= 2000),
        ({"year_from": 2016, "year_to": 2016}, lambda file: file.get("start", 9999) <= 2016 <= file.get("end", 9999)),
        ({"end_year": "2022"}, lambda file: file.get("end") == 2022),
        ({"organisation": "VDAB"}, lambda file: "VDAB" in file.get("organisation", "")),
        ({"country": "MT", "year_to": 1900}, lambda file: False),
        ({"year_from": 10**30}, lambda file: False),
        (
            {"country": "", "kind": "", "year_from": "", "year_to": 2000},
            lambda file: file.get("start", 9999) <= 2000,
        ),  # a form's open fields
    ],
)
def test_filters_leave_these_documents(
    client: TestClient, corpus_files: Files, filters: dict[str, Any], passes: Callable[[dict[str, Any]], object]
) -> None:
    expected = {document_id for document_id, file in corpus_files.items() if passes(file)}
    listed = client.get("/api/v1/documents", params=filters).json()
    assert {document["id"] for document in listed["documents"]} == expected
    body = search(client, **filters, all=True, k=1000)
    assert {hit["document_id"] for hit in body["hits"]} == expected
    assert body["total"] == listed["total"] == len(expected)
    assert body["facets"] == listed["facets"]


# ── Documents and passages ──────────────────────────────────────────────────────────────────────────────────────────


def test_the_corpus_holds_practices_and_news_only(client: TestClient) -> None:
    """A note to contributors beside them is no answer to a question about practices."""
    body = client.get("/api/v1/documents").json()
    practices, news = (len(list((CORPUS / name).glob("*.md"))) for name in ("practices", "news"))
    assert body["facets"]["kind"] == {"practice": practices, "news": news}
    assert body["total"] == practices + news


def test_documents_are_listed_by_id(client: TestClient, engine: Engine) -> None:
    body = client.get("/api/v1/documents", params={"k": 1000}).json()
    ids = [document["id"] for document in body["documents"]]
    assert ids == sorted(ids)
    assert len(ids) == body["total"] == engine.index().manifest.documents
    part = client.get("/api/v1/documents", params={"k": 2, "offset": 3}).json()
    assert [document["id"] for document in part["documents"]] == ids[3:5]
    assert part["total"] == body["total"]


@pytest.mark.parametrize("name", ["country", "language", "kind", "target_group", "measure_type", "channel", "evidence"])
def test_a_facet_counts_what_choosing_its_value_leaves(client: TestClient, name: str) -> None:
    counts = client.get("/api/v1/documents", params={"year_from": 2015}).json()["facets"][name]
    assert counts
    for value, count in counts.items():
        assert client.get("/api/v1/documents", params={"year_from": 2015, name: value, "k": 1}).json()["total"] == count


def test_a_document_comes_with_its_text(client: TestClient) -> None:
    document = client.get("/api/v1/documents/de-power-m").json()
    assert document["native_title"] == "power_m Perspektive Wiedereinstieg"
    assert (document["year"], document["end_year"], document["region"]) == (2009, None, "Munich region, Bavaria")
    assert document["path"] == "corpus/practices/de-power-m.md"
    assert document["evidence"] == "monitoring-figures"
    assert "more than 3,300 women in the first six years" in document["evidence_sentence"]
    [page] = document["pages"]
    assert page["number"] is None
    assert "The aim of power_m is a job that matches the person's level of qualification" in page["text"]


def test_every_passage_is_a_slice_of_its_page_and_can_be_fetched(client: TestClient) -> None:
    for listed in client.get("/api/v1/documents").json()["documents"]:
        document = client.get(f"/api/v1/documents/{listed['id']}").json()
        texts = {page["number"]: page["text"] for page in document["pages"]}
        assert document["passages"]
        for passage in document["passages"]:
            assert texts[passage["page"]][passage["start"] : passage["end"]] == passage["text"]
        first = document["passages"][0]
        assert client.get(f"/api/v1/passages/{quote(first['id'])}").json() == first


def test_a_hit_names_a_passage_with_its_text(client: TestClient) -> None:
    for hit in search(client, k=3)["hits"]:
        for passage_hit in (hit, *hit["passages"]):
            passage = client.get(f"/api/v1/passages/{passage_hit['passage_id']}").json()
            assert (passage["document_id"], passage["text"]) == (hit["document_id"], passage_hit["text"])
            assert all(0 <= start < end <= len(passage_hit["text"]) for start, end in passage_hit["highlights"])


def test_related_documents_are_others(client: TestClient, engine: Engine, corpus_files: Files) -> None:
    body = client.get("/api/v1/documents/de-power-m/related", params={"k": 1000}).json()
    assert (body["document_id"], body["index_id"]) == ("de-power-m", engine.index().manifest.index_id)
    ids = [hit["document_id"] for hit in body["hits"]]
    same = [name for hit in body["hits"] for name in hit["same"]] + [hit["document_id"] for hit in body["same"]]
    assert len({*ids, *same}) == len(ids + same) == engine.index().manifest.documents - 1
    assert "de-power-m" not in ids
    assert all(hit["reasons"] for hit in body["hits"])
    assert set(ids[:3]) & {"de-stark-im-beruf", "news-2023-04-27-webinar-outreach"}  # mothers; the news of power_m
    filtered = client.get("/api/v1/documents/de-power-m/related", params={"country": "DE", "kind": "practice"}).json()
    german = {each for each, file in corpus_files.items() if file["kind"] == "practice" and "DE" in file["countries"]}
    assert {hit["document_id"] for hit in filtered["hits"]} == german - {"de-power-m"}


# ── Faults ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/api/v1/search", 422, "q: "),
        ("/api/v1/search?q=", 422, "q: "),
        ("/api/v1/search?q=%20", 422, "the query is empty"),
        ("/api/v1/search?q=" + "x" * 2001, 422, "2000"),
        ("/api/v1/search?q=x&k=0", 422, "k: "),
        ("/api/v1/search?q=x&k=1001", 422, "k: "),
        ("/api/v1/search?q=x&k=ten", 422, "k: "),
        ("/api/v1/search?q=x&offset=-1", 422, "offset: "),
        ("/api/v1/search?q=x&group=page", 422, "group: "),
        ("/api/v1/search?q=x&year_from=soon", 422, "year_from: "),
        ("/api/v1/documents?k=0", 422, "k: "),
        ("/api/v1/documents/nothing", 404, "no document 'nothing'"),
        ("/api/v1/documents/nothing/related", 404, "no document 'nothing'"),
        ("/api/v1/documents/de-power-m/related?k=0", 422, "k: "),
        ("/api/v1/passages/de-power-m~0-1", 404, "no passage 'de-power-m~0-1'"),
        ("/api/v1/passages/%3Cb%3E", 404, "no passage '<b>'"),
        ("/api/v1/elsewhere", 404, "Not Found"),
        ("/api/v2/search?q=x", 404, "Not Found"),
    ],
)
def test_a_fault_is_a_problem(client: TestClient, path: str, status: int, words: str) -> None:
    # What a browser accepts does not matter: the API speaks JSON.
    response = client.get(path, headers={"Accept": "text/html"})
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert (problem["type"], problem["status"]) == ("about:blank", status)
    assert problem["title"] == HTTPStatus(status).phrase  # RFC 9457: the same as the status where the type is about:blank
    assert problem["instance"] == path.partition("?")[0].replace("%3C", "<").replace("%3E", ">")
    assert words in problem["detail"]


def test_every_faulty_parameter_is_named(client: TestClient) -> None:
    problem = client.get("/api/v1/search?k=0&offset=x").json()
    assert {fault["parameter"] for fault in problem["errors"]} == {"q", "k", "offset"}
    assert all(fault["detail"] for fault in problem["errors"])


def test_a_wrong_method_is_a_problem_that_names_the_right_one(client: TestClient) -> None:
    response = client.post("/api/v1/search?q=x")
    assert response.status_code == 405
    assert response.headers["content-type"] == "application/problem+json"
    assert "GET" in response.headers.get("allow", "")  # RFC 9110, section 15.5.6: a server MUST send it


def test_an_unexpected_fault_is_a_problem_that_tells_nothing_of_the_inside(
    client: TestClient, engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a secret of the inside")

    monkeypatch.setattr(engine, "search", broken)
    response = client.get("/api/v1/search?q=x")
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert "secret" not in response.text
    assert "a secret of the inside" in caplog.text  # the log has it
