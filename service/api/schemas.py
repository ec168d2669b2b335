"""The JSON that the command line and the HTTP API give, in one place so that they cannot differ."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from pes_search.index.filters import FILTER_FIELDS, YEARS, Filters
from pes_search.index.search import LARGEST_K, QUERY_CHARACTERS
from pes_search.index.types import DocumentText, FoundBy, Hit, RelationKind, Scores, SearchResult
from pes_search.ingest.types import Document, InferredValue, Passage
from pes_search.service.answers.types import Answer, Citation, Comparison, Reason, Sentence, Status, TableRow
from pes_search.service.answers.writer_name import WriterName
from pes_search.service.api.bounds import Body, Id, Ids, Number, Values
from pes_search.service.editing.copy_decisions import Verdict
from pes_search.service.editing.duplicates import Group
from pes_search.service.editing.related import Relations, StatedRelation
from pes_search.service.editing.stated import inferred_of, stated_term, stated_value
from pes_search.service.engine import AS_IT_IS, Spelling
from pes_search.service.links import deep_link, place_link, place_name, recognition_of
from pes_search.service.records.copies import CopyDecision

_EXAMPLE_PASSAGE = "de-power-m~318-802"


if TYPE_CHECKING:
    _ScoresOut = BaseModel
else:  # a field for each kind of evidence
    _ScoresOut = create_model(
        "ScoresOut", **{kind.name: (float, Field(description=kind.metadata["about"])) for kind in dataclasses.fields(Scores)}
    )


class PassageHitOut(_ScoresOut):
    """A passage that was found."""

    rank: int = Field(description="from 1")
    score: float = Field(description="higher is better; comparable within one list only")
    passage_id: str = Field(examples=[_EXAMPLE_PASSAGE])
    page: int | None = Field(description="from 1; null for a document without pages")
    place: str | None = Field(
        description="what the page is called: page 3, slide 3, 12:00 of a transcript", examples=["page 3"]
    )
    recognition_confidence: float | None = Field(
        description="where the text was recognised in a picture (OCR): how sure its words are on average, 0 to 1"
    )
    headings: list[str]
    text: str
    highlights: list[tuple[int, int]] = Field(description="characters of the text that the query's words match")
    url: str | None = Field(description="the original, at the page where it has pages")


class SameOut(BaseModel):
    """A document that says the same as another."""

    document_id: str
    visibility: str = Field(description="as of a hit")
    title: str
    language: str | None = Field(description="ISO 639-1")
    media_type: str
    path: str
    relation: Literal["copy", "translation"]


class NewerOut(BaseModel):
    """The newest version of a document."""

    document_id: str
    title: str


class InferredOut(BaseModel):
    """A value that nothing states, with the words of the document that say so."""

    model_config = ConfigDict(from_attributes=True)

    field: str = Field(description="that has the value", examples=["countries"])
    value: str = Field(examples=["AT"])
    confidence: float = Field(description="0 to 1: how often its rule was right where the truth is known")
    sentence: str = Field(description="or the title")
    passage_id: str | None = Field(description="that has the sentence; null for the title")


_INFERRED = Field(description="which of the values nothing states")
_VISIBILITY = Field(
    description="empty: everybody reads it; else the label that its readers need, such as `internal`, or several joined by +"
)


class HitOut(PassageHitOut):
    """A ranked hit: a passage with its document, and the document's next best passages."""

    document_id: str = Field(examples=["de-power-m"])
    title: str
    visibility: str = _VISIBILITY
    kind: str
    countries: list[str] = Field(description="ISO 3166-1 alpha-2; EU for the whole")
    year: int | None
    end_year: int | None = Field(description="of a practice; null while it runs or where unknown")
    organisation: str | None
    language: str | None = Field(description="ISO 639-1")
    evidence: str | None = Field(description="how strong it is, an id of the list evidence-strengths; null where not judged")
    inferred: list[InferredOut] = _INFERRED
    passages: list[PassageHitOut]
    also: list[SameOut] = Field(description="its copies and translations, which are not listed again")
    newer: NewerOut | None = Field(description="the newest version of the document, where another document updates it")


class QueryConceptOut(BaseModel):
    """A concept of the controlled lists that the query is about."""

    model_config = ConfigDict(from_attributes=True)

    filter: str = Field(examples=["target_group"])
    id: str = Field(examples=["women-returners"])
    label: str = Field(description="in the query's language where there is one")
    share: float = Field(description="of the query's concepts, 0 to 1")
    documents: int = Field(description="that the filter would leave")


class NamedFilterOut(BaseModel):
    """A filter that the query names in plain words."""

    model_config = ConfigDict(from_attributes=True)

    filter: str = Field(description="`year` stands for year_from and year_to", examples=["country"])
    value: str = Field(examples=["AT"])
    word: str = Field(description="of the query", examples=["Austria"])
    documents: int = Field(description="that the filter would leave")


class ExpansionOut(BaseModel):
    """An acronym or former name of the query, and what was added for it."""

    model_config = ConfigDict(from_attributes=True)

    found: str = Field(examples=["NEET"])
    added: str


class SearchOut(BaseModel):
    """The answer to a search."""

    query: str
    language: str | None = Field(description="of the query, as identified")
    index_id: str
    took_ms: float
    total: int = Field(description="how many hits can be paged through: those that match, or all where all are asked for")
    matching: int = Field(description="how many documents (or passages) match the query, by a calibrated measure")
    further: int = Field(description="how many the filters leave beside those; `all=true` lists them too")
    nothing_relevant: bool = Field(description="nothing matches the query")
    absent_phrases: list[str] = Field(description="in quotation marks in the query, and in no document")
    hits: list[HitOut]
    named_filters: list[NamedFilterOut] = Field(description="countries, years and languages that the query names")
    concepts: list[QueryConceptOut] = Field(description="what the query is about, in terms that filters take")
    expansions: list[ExpansionOut] = Field(description="acronyms and former names that were written out")
    did_you_mean: str | None = Field(
        description="the query with its misspelled words put right, if any are; the hits are those of the query as typed"
    )
    put_right: str | None = Field(
        description="the query as it was typed, where `query` is another: accents are put in at once, other words are put "
        "right where nothing matched; `as_typed=true` leaves it alone"
    )
    facets: dict[str, dict[str, int]] = Field(description="by filter: its values, with the documents that each would leave")


if TYPE_CHECKING:
    _FiltersIn = Body
else:  # a field for each filter
    _FiltersIn = create_model(
        "FiltersIn",
        __base__=Body,
        **{field.name: (Values, Field(default=[], description=field.about)) for field in FILTER_FIELDS.values()},
        **{name: (Number | None, Field(default=None, description=about)) for name, about in YEARS.items()},
    )


class AskIn(_FiltersIn):
    """A question, with the filters of a search."""

    question: str = Field(min_length=1, max_length=QUERY_CHARACTERS, examples=["Which countries use vouchers for training?"])
    previous: str | None = Field(
        default=None, max_length=QUERY_CHARACTERS, description='the question before, which "and in Poland?" goes on from'
    )
    writer: WriterName | None = Field(default=None, description="default: that of the settings")
    k: Number = Field(default=5, ge=1, le=LARGEST_K, description="how many nearest documents come along")

    def filters(self) -> Filters:
        """Return the filters; empty values do not restrict, as in a search."""
        chosen = {name: [value for value in getattr(self, name) if value.strip()] for name in FILTER_FIELDS}
        return Filters(chosen, **{name: getattr(self, name) for name in YEARS})


class CitationOut(BaseModel):
    """A quotation: `quote` is the passage's text from `start` to `end`."""

    document_id: str = Field(examples=["de-power-m"])
    passage_id: str = Field(examples=[_EXAMPLE_PASSAGE])
    quote: str = Field(description="in the document's own language")
    start: int = Field(description="characters of the passage's text")
    end: int
    page: int | None = Field(description="from 1; null for a document without pages")
    place: str | None = Field(
        description="what the page is called: page 3, slide 3, 12:00 of a transcript", examples=["page 3"]
    )
    recognition_confidence: float | None = Field(
        description="where the text was recognised in a picture (OCR): how sure its words are on average, 0 to 1"
    )
    url: str = Field(description="the place in the original, or in this service where there is no original")
    support: float = Field(description="how far it supports the sentence, 0 to 1; of a quotation 1")
    title: str = Field(description="of the document")
    visibility: str = _VISIBILITY
    language: str | None = Field(description="of the quotation, ISO 639-1")


class SentenceOut(BaseModel):
    """A sentence of an answer, with the quotations that it rests on."""

    text: str
    citations: list[CitationOut]


class PartOut(BaseModel):
    """A question, or one of two in one."""

    model_config = ConfigDict(from_attributes=True)

    question: str
    kind: str = Field(examples=["how_much"])
    is_answered: bool


class ChoiceOut(BaseModel):
    """A practice that a question may mean."""

    model_config = ConfigDict(from_attributes=True)

    id: str = Field(examples=["de-power-m"])
    title: str
    countries: list[str]
    inferred: list[InferredOut] = _INFERRED
    year: int | None = Field(description="the first")


class FigureOut(BaseModel):
    """A figure that a sentence states."""

    model_config = ConfigDict(from_attributes=True)

    value: float
    unit: str = Field(description="people, %, or a currency by its ISO 4217 code", examples=["people"])
    year: int | None = Field(description="that the sentence dates it to")
    owner: str | None = Field(description="who says so, as the sentence has it in brackets")
    passage_id: str
    start: int = Field(description="of the sentence, characters of the passage's text")
    end: int


class TableRowOut(BaseModel):
    """A practice of a table."""

    id: str
    title: str
    countries: list[str]
    inferred: list[InferredOut] = _INFERRED
    year: int | None = Field(description="the first")
    end_year: int | None
    citation: CitationOut
    figure: FigureOut | None = Field(description="by which the rows are sorted, where they are sorted by one")


class AskOut(BaseModel):
    """The answer to a question, or its refusal."""

    question: str
    understood_as: str | None = Field(description="what was understood, where that is not what was typed")
    status: Status = Field(
        description="complete; partial: a part of the question is not answered; none: refused; clarify: it does not say of "
        "which practice it asks; table: practices by a fact, a row each"
    )
    parts: list[PartOut]
    missing: list[str] = Field(description="the parts that no document answers")
    choices: list[ChoiceOut] = Field(description="practices that the question may mean")
    table: list[TableRowOut]
    language: str | None = Field(description="of the question, as identified")
    refused: bool
    reason: Reason | None = Field(
        description="why: nothing in the collection is near the question; what is near does not answer it; it is a person's "
        "own matter or an order to the system; or the practice that it names began later, or does not state it"
    )
    about: ChoiceOut | None = Field(description="the practice that the reason speaks of")
    suggested: list[str] = Field(description="questions that the documents do answer, where this one is refused")
    confidence: float = Field(description="that the collection answers the question, 0 to 1")
    sentences: list[SentenceOut] = Field(description="none if refused")
    rejected: int = Field(description="sentences of a language model that nothing supports; they are not shown")
    nearest: list[HitOut] = Field(description="the documents that come closest, whether they answer or not")
    writer: WriterName
    index_id: str
    took_ms: float
    notice: str | None = Field(description="why another writer answered than the one asked for")


class CellOut(BaseModel):
    """What a document says of a field: quotations, or none where it does not state it."""

    stated: bool
    value: str | None = Field(description="of the metadata: organisation, partners, country with region, years")
    term: str | None = Field(description="of a controlled list: the evidence has one, its id")
    inferred: list[InferredOut] = Field(description="what of value and term nothing states")
    citations: list[CitationOut]


class RowOut(BaseModel):
    """A field of a comparison, with a cell for each document."""

    field: str = Field(examples=["target_group"])
    label: str
    cells: list[CellOut]


class ComparedOut(BaseModel):
    """A compared document."""

    id: str
    title: str
    countries: list[str]
    inferred: list[InferredOut] = _INFERRED
    url: str | None


class ComparisonOut(BaseModel):
    """Documents field by field."""

    index_id: str
    documents: list[ComparedOut]
    rows: list[RowOut]


class ReasonOut(BaseModel):
    """Why two documents are related."""

    model_config = ConfigDict(from_attributes=True)

    name: str = Field(description="topic, people, measure or channel", examples=["people"])
    terms: list[str] = Field(description="ids of the controlled list that both have")


class RelatedHitOut(HitOut):
    """A related document."""

    reasons: list[ReasonOut]
    same: list[str] = Field(description="ids of copies and translations of it, which are not listed again")


class RelationOut(BaseModel):
    """What a document is to another, as one of both says."""

    kind: RelationKind = Field(description="cites, updates or continues it, or names it as something else to read (see_also)")
    direction: Literal["to", "from"] = Field(description="from: it is the other one that cites, updates or continues this one")
    document_id: str = Field(description="of the other one")
    title: str
    found_by: FoundBy = Field(
        description="an address, path or file name; its title in the text; an id in the metadata; or the titles of a series"
    )
    sentence: str = Field(description="that says so, or the words of the link; empty where metadata or titles do")


class RelatedOut(BaseModel):
    """The documents nearest in meaning to one, without those that say the same, and what it and others say of each other."""

    document_id: str
    index_id: str
    hits: list[RelatedHitOut]
    same: list[HitOut] = Field(description="copies and translations of the document itself")
    relations: list[RelationOut] = Field(description="with documents that cite, update or continue it or that it does")


class DocumentOut(BaseModel):
    """A document's metadata."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    title: str
    visibility: str = _VISIBILITY
    native_title: str | None
    kind: str
    language: str | None
    date: str | None
    year: int | None
    end_year: int | None
    organisation: str | None
    organisations: list[str] = Field(description="ids of the list organisations that it names, else itself")
    region: str | None
    countries: list[str]
    target_groups: list[str]
    measure_types: list[str]
    channels: list[str]
    partners: list[str]
    evidence: str | None = Field(description="the strongest that the text states, an id of the list evidence-strengths")
    evidence_sentence: str | None = Field(description="of the text, which says so, where front matter quotes it")
    inferred: list[InferredOut] = _INFERRED
    recognised_pages: list[int | None] = Field(description="whose text was recognised in a picture (OCR)")
    recognition_confidence: float | None = Field(description="of their words on average, 0 to 1")
    related: list[str] = Field(description="documents that its front matter names; `relations` of a document have them too")
    url: str | None
    path: str
    media_type: str
    sha256: str


class GroupOut(BaseModel):
    """Documents that say the same: one stands for the others in lists."""

    document_id: str = Field(
        description="of the one that stands for them: the best described, else the newest, else the fullest"
    )
    title: str
    path: str
    others: list[SameOut]
    confirmed: bool = Field(description="editors said of all of them that they are copies")
    parted: list[str] = Field(description="ids of documents that are no copies of one of them, as editors said")


class CopyDecisionOut(BaseModel):
    """What an editor said of two documents."""

    model_config = ConfigDict(from_attributes=True)

    first: str = Field(description="a document's id")
    second: str = Field(description="another's; they may have gone from the index")
    are_copies: bool
    at: str = Field(description="ISO 8601, UTC")


class DuplicatesOut(BaseModel):
    """The groups of documents that say the same, and what editors decided of them."""

    index_id: str
    groups: list[GroupOut]
    decisions: list[CopyDecisionOut]


class CopyDecisionIn(Body):
    """What an editor says of a document and each of the others."""

    verdict: Verdict = Field(
        description="they are copies (confirm), they are none (part), or what was decided is taken back (undo)",
        examples=["confirm"],
    )
    document_id: Id = Field(examples=["de-power-m"])
    other_ids: Ids = Field(examples=[["pl-kfs"]])


class DocumentsOut(BaseModel):
    """A list of documents."""

    index_id: str
    total: int
    documents: list[DocumentOut]
    facets: dict[str, dict[str, int]]


class PageOut(BaseModel):
    """A page's clean text."""

    model_config = ConfigDict(from_attributes=True)

    number: int | None
    text: str


class PassageOut(BaseModel):
    """A passage and its place: `text` is `page.text[start:end]`."""

    id: str = Field(examples=[_EXAMPLE_PASSAGE])
    document_id: str
    title: str
    visibility: str = _VISIBILITY
    page: int | None
    place: str | None
    recognition_confidence: float | None
    start: int
    end: int
    headings: list[str]
    language: str | None
    text: str
    url: str | None


class DocumentDetailOut(DocumentOut):
    """A document with its text."""

    index_id: str
    figures: list[FigureOut] = Field(description="that its sentences state: of people, of money and in per cent")
    relations: list[RelationOut] = Field(description="with documents that cite, update or continue it or that it does")
    newer: NewerOut | None = Field(description="its newest version, where another document updates it")
    pages: list[PageOut]
    passages: list[PassageOut]


class ProblemOut(BaseModel):
    """What went wrong, as RFC 9457 has it."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str
    request_id: str | None = Field(default=None, description="of the header `X-Request-ID`; the service's log has it too")
    errors: list[dict[str, Any]] = Field(default=[], description="one entry a faulty parameter")


def search_out(result: SearchResult, spelling: Spelling = AS_IT_IS) -> SearchOut:
    """Return a search's result for the outside, with what was done about the query's spelling."""
    return SearchOut(
        query=result.query,
        language=result.language,
        index_id=result.index_id,
        took_ms=result.took_ms,
        total=result.total,
        matching=result.matching,
        further=result.further,
        nothing_relevant=result.nothing_relevant,
        absent_phrases=list(result.absent_phrases),
        named_filters=[NamedFilterOut.model_validate(named) for named in result.named_filters],
        hits=[hit_out(hit) for hit in result.hits],
        concepts=[QueryConceptOut.model_validate(concept) for concept in result.concepts],
        expansions=[ExpansionOut.model_validate(expansion) for expansion in result.expansions],
        did_you_mean=spelling.did_you_mean,
        put_right=spelling.put_right,
        facets={name: dict(counts) for name, counts in result.facets.items()},
    )


def hit_out(hit: Hit) -> HitOut:
    """Return a hit for the outside."""
    return HitOut(**_hit(hit))


def related_out(document_id: str, relations: Relations, index_id: str) -> RelatedOut:
    """Return what is related to a document for the outside."""
    hits = [
        RelatedHitOut(
            **_hit(one.hit),
            reasons=[ReasonOut.model_validate(reason) for reason in one.reasons],
            same=[document.id for document in one.hit.also],
        )
        for one in relations.related
    ]
    return RelatedOut(
        document_id=document_id,
        index_id=index_id,
        hits=hits,
        same=[hit_out(hit) for hit in relations.same],
        relations=list(map(_relation_out, relations.stated)),
    )


def _relation_out(stated: StatedRelation) -> RelationOut:
    relation = stated.relation
    return RelationOut(
        kind=relation.kind,
        direction="from" if relation.is_by_other else "to",
        document_id=stated.document.id,
        title=stated.document.title,
        found_by=relation.found_by,
        sentence=relation.sentence,
    )


def _newer_out(newer: Document | None) -> NewerOut | None:
    return NewerOut(document_id=newer.id, title=newer.title) if newer else None


def ask_out(answer: Answer) -> AskOut:
    """Return an answer for the outside."""
    return AskOut(
        question=answer.question,
        understood_as=answer.understood_as,
        status=answer.status,
        parts=[PartOut.model_validate(part) for part in answer.parts],
        missing=list(answer.missing),
        choices=[_choice_out(document) for document in answer.choices],
        table=[_table_row_out(row) for row in answer.table],
        about=_choice_out(answer.about) if answer.about else None,
        suggested=list(answer.suggested),
        language=answer.language,
        refused=answer.refused,
        reason=answer.reason,
        confidence=answer.confidence,
        sentences=[sentence_out(sentence) for sentence in answer.sentences],
        rejected=answer.rejected,
        nearest=[hit_out(hit) for hit in answer.nearest],
        writer=answer.writer,
        index_id=answer.index_id,
        took_ms=answer.took_ms,
        notice=answer.notice,
    )


def _choice_out(document: Document) -> ChoiceOut:
    return ChoiceOut(
        id=document.id,
        title=document.title,
        countries=list(document.countries),
        inferred=_inferred_out(document.inferred_in("countries")),
        year=document.year,
    )


def _table_row_out(row: TableRow) -> TableRowOut:
    document = row.document
    return TableRowOut(
        id=document.id,
        title=document.title,
        countries=list(document.countries),
        inferred=_inferred_out(document.inferred_in("countries")),
        year=document.year,
        end_year=document.end_year,
        citation=citation_out(row.citation),
        figure=FigureOut.model_validate(row.figure) if row.figure else None,
    )


def sentence_out(sentence: Sentence) -> SentenceOut:
    """Return a sentence for the outside."""
    return SentenceOut(text=sentence.text, citations=[citation_out(citation) for citation in sentence.citations])


def citation_out(citation: Citation) -> CitationOut:
    """Return a citation for the outside."""
    return CitationOut(
        document_id=citation.document.id,
        passage_id=citation.passage.id,
        quote=citation.quote,
        start=citation.start,
        end=citation.end,
        page=citation.passage.page,
        place=place_name(citation.document, citation.passage.page),
        recognition_confidence=recognition_of(citation.document, citation.passage.page),
        url=place_link(citation),
        support=citation.support,
        title=citation.document.title,
        visibility=citation.document.visibility,
        language=citation.passage.language,
    )


def same_out(document: Document, of: Document) -> SameOut:
    """Return a document that says the same as another for the outside."""
    return SameOut(
        document_id=document.id,
        visibility=document.visibility,
        title=document.title,
        language=document.language,
        media_type=document.media_type,
        path=document.path,
        relation="translation" if document.language != of.language else "copy",
    )


def duplicates_out(groups: Sequence[Group], decisions: Sequence[CopyDecision], index_id: str) -> DuplicatesOut:
    """Return the groups of documents that say the same for the outside, and what editors decided."""
    return DuplicatesOut(
        index_id=index_id,
        groups=[
            GroupOut(
                document_id=group.documents[0].id,
                title=group.documents[0].title,
                path=group.documents[0].path,
                others=[same_out(other, group.documents[0]) for other in group.documents[1:]],
                confirmed=group.is_confirmed,
                parted=list(group.parted),
            )
            for group in groups
        ],
        decisions=[CopyDecisionOut.model_validate(decision) for decision in decisions],
    )


def comparison_out(comparison: Comparison) -> ComparisonOut:
    """Return a comparison for the outside."""
    return ComparisonOut(
        index_id=comparison.index_id,
        documents=[
            ComparedOut(
                id=document.id,
                title=document.title,
                countries=list(document.countries),
                inferred=_inferred_out(document.inferred_in("countries")),
                url=deep_link(document, None),
            )
            for document in comparison.documents
        ],
        rows=[
            RowOut(
                field=row.field,
                label=row.label,
                cells=[
                    CellOut(
                        stated=bool(cell or stated_value(row.field, document)),
                        value=stated_value(row.field, document),
                        term=stated_term(row.field, document),
                        inferred=_inferred_out(inferred_of(row.field, document)),
                        citations=[citation_out(citation) for citation in cell],
                    )
                    for document, cell in zip(comparison.documents, row.cells, strict=True)
                ],
            )
            for row in comparison.rows
        ],
    )


def document_out(document: Document) -> DocumentOut:
    """Return a document's metadata for the outside."""
    return DocumentOut.model_validate(document)


def document_detail(
    text: DocumentText, index_id: str, stated: Sequence[StatedRelation] = (), newer: Document | None = None
) -> DocumentDetailOut:
    """Return a document with its text for the outside, its relations and its newest version."""
    document = text.document
    return DocumentDetailOut(
        **dataclasses.asdict(document),
        index_id=index_id,
        relations=list(map(_relation_out, stated)),
        newer=_newer_out(newer),
        pages=[PageOut.model_validate(page) for page in text.pages],
        passages=[passage_out(document, passage) for passage in text.passages],
    )


def passage_out(document: Document, passage: Passage) -> PassageOut:
    """Return a passage for the outside."""
    return PassageOut(
        **dataclasses.asdict(passage),
        title=document.title,
        visibility=document.visibility,
        url=deep_link(document, passage.page),
        place=place_name(document, passage.page),
        recognition_confidence=recognition_of(document, passage.page),
    )


def _hit(hit: Hit) -> dict[str, Any]:
    document = hit.document
    return {
        **_passage_hit(hit),
        "document_id": document.id,
        "title": document.title,
        "visibility": document.visibility,
        "kind": document.kind,
        "countries": list(document.countries),
        "year": document.year,
        "end_year": document.end_year,
        "organisation": document.organisation,
        "language": document.language,
        "evidence": document.evidence,
        "inferred": _inferred_out(
            [value for field in ("countries", "organisation", "evidence") for value in document.inferred_in(field)]
        ),
        "passages": [PassageHitOut(**_passage_hit(other)) for other in hit.passages],
        "also": [same_out(other, document) for other in hit.also],
        "newer": _newer_out(hit.newer),
    }


def _inferred_out(values: Iterable[InferredValue]) -> list[InferredOut]:
    return [InferredOut.model_validate(value) for value in values]


def _passage_hit(hit: Hit) -> dict[str, Any]:
    return {
        "rank": hit.rank,
        "score": hit.score,
        "passage_id": hit.passage.id,
        "page": hit.passage.page,
        "place": place_name(hit.document, hit.passage.page),
        "recognition_confidence": recognition_of(hit.document, hit.passage.page),
        "headings": list(hit.passage.headings),
        "text": hit.passage.text,
        "highlights": list(hit.highlights),
        "url": deep_link(hit.document, hit.passage.page),
        **dataclasses.asdict(hit.scores),
    }
