"""A query becomes ranked hits: what a store finds is weighed here, once, whatever store it is."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from pes_search.index.arrays import highest
from pes_search.index.config import FusionConfig, SearchConfig
from pes_search.index.errors import QueryError
from pes_search.index.evidence.fusion import best_of, fused_each, related_score, rounded, scores_of
from pes_search.index.evidence.language_shift import shifted
from pes_search.index.evidence.relevance import packaged_relevance
from pes_search.index.filters import EVERYTHING, LISTS, Filters
from pes_search.index.open_index import OpenIndex, unknown_document
from pes_search.index.query.highlights import Highlighter
from pes_search.index.query.operators import allowed_documents, read_operators
from pes_search.index.stages import check_deadline, stage
from pes_search.index.text.tokens import terms
from pes_search.index.types import Candidate, Counts, Facets, Hit, Query, QueryConcept, Scores, SearchResult
from pes_search.ingest.cleaning.text import clean_text
from pes_search.ingest.languages.identify import detect_language
from pes_search.ingest.types import Document, document_of

if TYPE_CHECKING:
    from pes_search.index.arrays import Vectors
    from pes_search.index.encoders.base import Encoder

Group = Literal["document", "passage"]

QUERY_CHARACTERS = 2_000  # the encoder reads some 512 tokens; a longer query is a document by mistake
LARGEST_K = 1_000
FIRST_DEPTH = 100  # candidates of each retriever; more only if they hold too few documents
CANDIDATES_PER_HIT = 4  # of each retriever, where more related documents are wanted: several passages make one
COUNTED_TIERS = 2  # of how deep is looked, within which what matches is counted
DEPTH_FACTOR = 16  # how much deeper the second tier goes; the third looks at everything
NUMBER_WEIGHT = 2  # words; 3 is as good on the development questions, and costs claims of science
SHOWN_CONCEPTS = 5
SHOWN_CONCEPT_SHARE = 0.05  # of what a query is about, from which a concept is worth showing


def search(
    query: str,
    index: OpenIndex,
    encoder: Encoder,
    config: SearchConfig,
    *,
    k: int = 10,
    offset: int = 0,
    group: Group = "document",
    filters: Filters = EVERYTHING,
    only_matching: bool = False,
    is_question: bool = False,
) -> SearchResult:
    """Return the k best hits from `offset` on, among the documents that pass the filters and the query's operators.

    Grouped by document, a hit is a document's best passage, which carries the next best ones. With `only_matching` the list
    ends where documents no longer match the query (`evidence.relevance`), else k documents come back whenever so many are
    left. In a question a phrase that no document has is searched by its words: who asks may quote anything. Hits of equal
    score are in the order of their ids. Pages join up, whatever k is: what is found by looking deeper comes after what was
    found before. The store is asked ten times at most, for a query without operators.

    Raises:
        QueryError: the query is empty or too long, an operator has an unknown value, or `k` or `offset` is out of range.
    """
    started = time.perf_counter()
    query = plain(query)
    _check(query, k, offset)
    with stage("query"):
        operators = read_operators(query)
        filters = filters.within(operators.filters)
        allowed = allowed_documents(operators, index.stored, lambda text: terms_by_language(text, index), filters)
        absent = allowed.absent
        if absent and is_question:
            there = tuple(phrase for phrase in operators.phrases if phrase not in absent)
            operators = replace(operators, phrases=there)
            allowed = allowed_documents(operators, index.stored, lambda text: terms_by_language(text, index), filters)
        filters = filters.restricted(allowed.only, allowed.without)
        wording = index.expander.wording(operators.text)
        language = detect_language(wording.plain)
        vector = encoder.encode_queries([wording.written_out])[0]
        parsed_query = read_query(wording.written_out, language, vector, index, config)
    counts = index.stored.counts(filters)
    left = counts.documents - _unlisted(index, filters) if group == "document" else counts.passages
    wanted = min(offset + k, left)
    # What has the words as they were ordered matches, whatever its score.
    is_exact = group == "document" and bool(operators.phrases or operators.titles)
    groups: list[tuple[float, list[Candidate]]] = []
    matching = 0
    with stage("rank"):
        for tier, deeper in enumerate(_tiers(parsed_query, index, config, filters, counts, group), start=1):
            groups += deeper
            matching = counts.documents if is_exact else _count_matching(groups, parsed_query, index)
            # What matches ends within what was found, unless all of it does; nobody reads so far that all of a large collection
            # would have to be scored to count it.
            ends = is_exact or matching < len(groups) or tier == COUNTED_TIERS
            if ends and (len(groups) >= wanted or (only_matching and not is_exact)):
                break
    total = matching if only_matching else left
    page = [(score, several[: config.passages_per_document]) for score, several in groups[offset : min(offset + k, total)]]
    with stage("show"):
        hits = _marked(hits_of(page, index, offset + 1), wording.plain, language, index)
    return SearchResult(
        query=query,
        parsed_query=parsed_query,
        language=language,
        index_id=index.manifest.index_id,
        hits=hits,
        concepts=_concepts(index, parsed_query, counts.facets),
        expansions=wording.expansions,
        named_filters=index.filter_names.named_in(wording.plain, language, counts.facets),
        total=total,
        matching=matching,
        further=left - matching,
        absent_phrases=absent,
        facets=counts.facets,
        took_ms=round((time.perf_counter() - started) * 1000, 1),
    )


def only_matching(result: SearchResult) -> SearchResult:
    """Return a result from the first hit on without what does not match the query."""
    return replace(result, hits=result.hits[: result.matching], total=result.matching)


def _count_matching(groups: Sequence[tuple[float, list[Candidate]]], query: Query, index: OpenIndex) -> int:
    """Return how many of the ranked documents or passages match the query."""
    return packaged_relevance().count(
        [score for score, _ in groups],
        other_language=query.language != index.main_language,
        questions=index.questions.are_there,
    )


def related(
    document_id: str,
    index: OpenIndex,
    *,
    k: int = 10,
    filters: Filters = EVERYTHING,
    among: Collection[str] | None = None,
) -> tuple[Hit, ...]:
    """Return the k documents nearest to this one, each with the passage that is closest to it; `among` some, if they are given.

    The score is mostly the cosine of the documents' mean vectors, the rest the concepts that they share; near 1 they say the
    same, perhaps in two languages.

    Raises:
        NotInIndexError: no document has this id.
        QueryError: `k` is out of range.
    """
    _check("related", k, 0)
    if document_id not in index.concepts.rows:
        raise unknown_document(document_id)
    mean = index.stored.means([document_id])[0]
    depth = max(FIRST_DEPTH, CANDIDATES_PER_HIT * k)
    if among is None:
        among = [*index.stored.nearest_documents(mean, filters, depth), *index.concepts.sharing(document_id, depth)]
    near = dict.fromkeys(among)
    near.pop(document_id, None)
    members: dict[str, list[str]] = {}
    for passage_id in index.stored.members(near, filters, None):
        members.setdefault(document_of(passage_id), []).append(passage_id)
    others = list(members)
    cosines = index.stored.means(others) @ mean
    overlaps = index.concepts.overlaps([document_id], others, cosines[None, :])[0]
    scored = [
        (related_score(cosine, overlap), other, Scores(dense=cosine, topic=cosine, agreement=overlap))
        for cosine, overlap, other in zip(cosines.tolist(), overlaps.tolist(), others, strict=True)
    ]
    best = sorted(scored, key=lambda document: (-document[0], document[1]))[:k]
    rows = index.stored.rows([passage_id for _, other, _ in best for passage_id in members[other]], {})
    closeness = rows.vectors @ mean
    nearest, first = [], 0
    for score, other, scores in best:
        closest = int(np.argmax(closeness[first : first + len(members[other])]))
        nearest.append((score, [Candidate(members[other][closest], rounded(scores), score)]))
        first += len(members[other])
    return hits_of(nearest, index)


def plain(query: str) -> str:
    """Return a query as it is searched: with single spaces, and without what nobody sees, such as soft hyphens.

    What a terminal in another encoding hands over is replaced: such halves of characters no tokenizer takes, and no file.
    """
    return clean_text(query.encode("utf-8", "replace").decode("utf-8"))


def _check(query: str, k: int, offset: int) -> None:
    if not query:
        raise QueryError("the query is empty; type a few words or a question")
    if len(query) > QUERY_CHARACTERS:
        raise QueryError(f"the query has {len(query)} characters, {QUERY_CHARACTERS} at most; shorten it")
    if not 1 <= k <= LARGEST_K:
        raise QueryError(f"k must be from 1 to {LARGEST_K}, not {k}")
    if offset < 0:
        raise QueryError(f"offset must not be negative, not {offset}")


# ── Reading the query ───────────────────────────────────────────────────────────────────────────────────────────────


def read_query(text: str, language: str | None, vector: Vectors, index: OpenIndex, config: SearchConfig) -> Query:
    """Return a query as this index's passages are compared with it; `text` has its names written out, `vector` is its own."""
    vectors = shifted(vector, language, index.languages, index.language_mean, config.language_shift)
    concepts = index.concepts.of_query(text, language, vector)
    return Query(text, language, terms_by_language(text, index), vector, vectors, concepts)


def terms_by_language(query: str, index: OpenIndex) -> dict[str | None, list[str]]:
    """Return the query's terms as each of the index's languages has them: passages are matched by their own stemmer.

    A number counts as so many words: who names one means it.
    """
    by_language = {language: terms(query, language) for language in index.languages}
    return {
        language: several + [term for term in several if term[0].isdigit()] * (NUMBER_WEIGHT - 1)
        for language, several in by_language.items()
    }


# ── Ranking ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _tiers(
    query: Query, index: OpenIndex, config: SearchConfig, filters: Filters, counts: Counts, group: Group
) -> Iterator[list[tuple[float, list[Candidate]]]]:
    """Yield what is found by looking deeper and deeper, without what was found before, each tier ranked.

    How deep is looked decides which passages speak for a document, so the tiers are the same whatever is asked for.
    """
    seen: set[str] = set()
    for depth in (FIRST_DEPTH, FIRST_DEPTH * DEPTH_FACTOR, counts.passages):
        check_deadline()
        # The vectors rank every passage, so deeper down they alone bring up as many as there are.
        found = ranked(query, index, config, filters, depth, by_vectors_alone=depth != FIRST_DEPTH)
        if group == "document":
            ranked_documents = by_document([one for one in found if one.document_id not in seen], config.fusion)
            tier = without_copies(ranked_documents, query.language, index)
            seen.update(other for one in found for other in index.copies.group_of(one.document_id))
        else:
            tier = [(one.score, [one]) for one in found if one.passage_id not in seen]
            seen.update(one.passage_id for one in found)
        yield tier
        if depth >= counts.passages:
            return


def ranked(
    query: Query, index: OpenIndex, config: SearchConfig, filters: Filters, depth: int, *, by_vectors_alone: bool = False
) -> list[Candidate]:
    """Return the passages that any retriever has among its `depth` best, by the fused score, the highest first."""
    found = candidates(query, index, config.fusion, filters, depth, by_vectors_alone=by_vectors_alone)
    return sorted(found, key=lambda candidate: (-candidate.score, candidate.document_id, candidate.passage_id))


def candidates(
    query: Query, index: OpenIndex, config: FusionConfig, filters: Filters, depth: int, *, by_vectors_alone: bool = False
) -> list[Candidate]:
    """Return what words, vectors and the documents' concepts bring up, in any order, with all that speaks for each."""
    of_documents = {
        "agreement": index.concepts.agreement(query),
        "labels": index.concepts.labels(query),
        "questions": index.questions.scores(query.text, query.language, query.vector),
    }
    vectors = np.stack(list({id(vector): vector for vector in query.vectors.values()}.values()) or [query.vector])
    stored = index.stored
    passage_ids = dict.fromkeys(stored.nearest(vectors, filters, depth))
    if not by_vectors_alone:
        total = np.sum(list(of_documents.values()), axis=0)
        passage_ids |= dict.fromkeys(stored.lexical(query.terms, filters, depth))
        passage_ids |= dict.fromkeys(stored.members(_best_documents(index, total, depth), filters, depth))
    documents = [index.concepts.rows[document_of(passage_id)] for passage_id in passage_ids]
    rows = stored.rows(list(passage_ids), query.terms)
    scores = scores_of(query, rows, config, {kind: values[documents] for kind, values in of_documents.items()})
    return [Candidate(*values) for values in zip(passage_ids, scores, fused_each(scores, config), strict=True)]


def _best_documents(index: OpenIndex, scores: Vectors, depth: int) -> Iterator[str]:
    """Yield the documents with a score above 0, the best first, equal ones by id.

    The first `depth` are mostly all that is taken, so only if more are, the others are brought into order.
    """
    rows = np.flatnonzero(scores)
    first = highest(scores[rows], depth)
    for part in (first, np.setdiff1d(np.arange(len(rows)), first, assume_unique=True)):
        order = np.argsort(-scores[rows[part]], kind="stable")
        yield from (index.concepts.ids[row] for row in rows[part[order]].tolist())


def grouped(found: Sequence[Candidate]) -> list[list[Candidate]]:
    """Return the passages of each document, in their order."""
    groups: dict[str, list[Candidate]] = {}
    for candidate in found:
        groups.setdefault(candidate.document_id, []).append(candidate)
    return list(groups.values())


def by_document(found: Sequence[Candidate], config: FusionConfig) -> list[tuple[float, list[Candidate]]]:
    """Return each document's score with its passages in their order, the best document first.

    A document's score takes each kind of evidence from whichever of its passages has most of it.
    """
    groups = grouped(found)
    scores = fused_each([best_of([candidate.scores for candidate in several]) for several in groups], config)
    return sorted(zip(scores, groups, strict=True), key=lambda group: (-group[0], group[1][0].document_id))


def without_copies(
    ranked_documents: Sequence[tuple[float, list[Candidate]]], language: str | None, index: OpenIndex
) -> list[tuple[float, list[Candidate]]]:
    """Return ranked documents with one of each group of copies, where the first of the group stood.

    It is the one in the query's language, else the one that stands for the group, else the first that was found.
    """
    if not index.copies.groups:
        return list(ranked_documents)
    found = {several[0].document_id: several for _, several in ranked_documents}
    first: dict[str, float] = {}  # the score of each group's first, by the document that stands for them
    for score, several in ranked_documents:
        first.setdefault(index.copies.group_of(several[0].document_id)[0], score)
    chosen = index.copies.without_others(found, language)
    return [(score, found[one]) for score, one in zip(first.values(), chosen, strict=True)]


def _unlisted(index: OpenIndex, filters: Filters) -> int:
    """Return how many documents that pass the filters are not listed, as another of their group is."""
    if not index.copies.groups:
        return 0
    members = [one for group in index.copies.groups for one in group]
    passing = {document_of(passage_id) for passage_id in index.stored.members(members, filters, None)}
    return sum(max(0, len(passing.intersection(group)) - 1) for group in index.copies.groups)


# ── Showing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def hits_of(groups: Sequence[tuple[float, Sequence[Candidate]]], index: OpenIndex, first_rank: int = 1) -> tuple[Hit, ...]:
    """Return each group as a hit: its score, and its first passage, which carries the others."""
    shown = index.stored.passages([candidate.passage_id for _, several in groups for candidate in several])
    found = [several[0].document_id for _, several in groups]
    also, newer = _also(found, index), _newer(found, index)
    hits = iter(
        [
            Hit(0, candidate.score, candidate.scores, passage, document)
            for candidate, (passage, document) in zip((one for _, several in groups for one in several), shown, strict=True)
        ]
    )
    ranked_hits = []
    for rank, (score, several) in enumerate(groups, start=first_rank):
        best, *others = [next(hits) for _ in several]
        passages = tuple(replace(hit, rank=number) for number, hit in enumerate(others, start=2))
        own = best.document.id
        ranked_hits.append(
            replace(best, rank=rank, score=score, passages=passages, also=also.get(own, ()), newer=newer.get(own))
        )
    return tuple(ranked_hits)


def _also(document_ids: Sequence[str], index: OpenIndex) -> dict[str, tuple[Document, ...]]:
    """Return the copies and translations of those documents that have any."""
    groups = {one: [other for other in index.copies.group_of(one) if other != one] for one in document_ids}
    others = [other for group in groups.values() for other in group]
    documents = {text.document.id: text.document for text in index.stored.texts(others)} if others else {}
    return {one: tuple(documents[other] for other in group if other in documents) for one, group in groups.items()}


def _newer(document_ids: Sequence[str], index: OpenIndex) -> dict[str, Document]:
    """Return the newest versions of those documents that have one."""
    newest = {one: newer for one in document_ids if (newer := index.relations.newest(one))}
    documents = {text.document.id: text.document for text in index.stored.texts([*newest.values()])} if newest else {}
    return {one: documents[newer] for one, newer in newest.items() if newer in documents}


def _marked(hits: Sequence[Hit], query: str, language: str | None, index: OpenIndex) -> tuple[Hit, ...]:
    """Return the hits with the words of the query marked in them."""
    by_language = terms_by_language(query, index)
    idf = index.stored.idf({term for several in by_language.values() for term in several})
    highlighter = Highlighter(query, language, by_language, idf, index.stored.words)

    def marked(hit: Hit) -> Hit:
        return replace(hit, highlights=highlighter.spans(hit.passage), passages=tuple(map(marked, hit.passages)))

    return tuple(map(marked, hits))


def _concepts(index: OpenIndex, query: Query, facets: Facets) -> tuple[QueryConcept, ...]:
    """Return the concepts of a query that are worth showing."""
    filters = {list_name: name for name, list_name in LISTS.items()}
    shown = [concept for concept in query.concepts if concept[2] >= SHOWN_CONCEPT_SHARE][:SHOWN_CONCEPTS]
    return tuple(
        QueryConcept(
            filters[name],
            concept_id,
            index.taxonomy.label(name, concept_id, query.language or "en"),
            round(share, 3),
            facets[filters[name]].get(concept_id, 0),
        )
        for name, concept_id, share in shown
    )
