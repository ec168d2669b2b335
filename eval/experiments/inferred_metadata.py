"""How well metadata are inferred where documents state none: their labels are hidden, and compared with what is inferred.

    python -m pes_search.eval.experiments.inferred_metadata [FOLDER OF FACTSHEETS]

The write-ups of `corpus/practices` without their front matter, on which the rules were fitted together with every second
factsheet; and the other factsheets, which were seen when kinds of rules were tried (docs/inferred.md). Of a factsheet the
rows of its form are hidden, what says "measures in Austria" above its title, and its sources. A term is right if the label
is it, includes it, or is included in it: a form knows "unemployed", where a text says "long-term unemployed".
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from pes_search.index.derived import with_derived
from pes_search.index.encoders import load_encoder
from pes_search.index.encoders.base import Encoder
from pes_search.index.inferred import Inferrer
from pes_search.ingest.collection import Collection, find_sources
from pes_search.ingest.passages import build_pages, build_passages, passage_sentences
from pes_search.ingest.taxonomy import FIELDS, Taxonomy, read_taxonomy
from pes_search.ingest.types import Block, Document, InferredValue
from pes_search.service.settings import Settings, read_settings

FACTSHEETS = Path("../shared/data/eurofound/factsheets")
LISTS = Path("corpus/taxonomy")
OF_FORM = frozenset({"Target groups", "Actors and funding", "Sources"})  # headings of a factsheet's sections that hold labels
ORGANISATIONS = "organisations"
# The field with the labels, by that whose values are inferred.
FIELDS_WITH_LABELS = {
    "countries": "countries",
    "organisation": ORGANISATIONS,
    "target_groups": "target_groups",
    "measure_types": "measure_types",
    "evidence": "evidence",
}


class Case(NamedTuple):
    """A document with its labels, and as it comes out when they are hidden."""

    labelled: Document
    inferred: Document


def main(arguments: Sequence[str] = ()) -> int:
    """Print precision and recall by field; return the exit status."""
    settings = read_settings()
    encoder = load_encoder(settings.encoder, settings.cache_dir)
    inferrer = Inferrer(read_taxonomy(LISTS))
    print("| documents | field | labelled | get a value | values | right | precision | recall |\n" + "|---" * 8 + "|")
    corpus = list(cases("corpus/practices", inferrer, encoder, settings))
    _print_figures("our write-ups", corpus, inferrer.taxonomy)
    factsheets = Path(arguments[0]) if arguments else FACTSHEETS
    if not factsheets.is_dir():
        print(f"no factsheets: {factsheets} is not there", file=sys.stderr)
        return 0
    every = list(cases(str(factsheets), inferrer, encoder, settings))
    _print_figures("factsheets, fitted on", every[::2], inferrer.taxonomy)
    _print_figures("factsheets, the others", every[1::2], inferrer.taxonomy)
    return 0


def cases(source: str, inferrer: Inferrer, encoder: Encoder, settings: Settings) -> Iterator[Case]:
    """Yield the documents of a source, each as it comes out when its labels are hidden."""
    sources = find_sources([source], LISTS)
    with Collection(sources, lambda *_: None, settings.reading) as collection:
        for document, blocks in collection.documents(inferrer.taxonomy):
            labelled = with_derived(document, [], [], [], inferrer)  # finds the ids of its organisation
            hidden = replace(document, **hidden_values(document))
            pages = build_pages(hidden, shown(blocks) if document.kind == "factsheet" else blocks)
            passages = build_passages(hidden, pages, encoder.token_starts, settings.passages)
            page_of = {page.number: page for page, _ in pages}
            spans = [passage_sentences(passage, page_of[passage.page]) for passage in passages]
            yield Case(labelled, with_derived(hidden, list(page_of.values()), passages, spans, inferrer))


def hidden_values(document: Document) -> dict[str, Any]:
    """Return the empty values of a document's labels."""
    empty: dict[str, Any] = {name: () if isinstance(getattr(document, name), tuple) else None for name in FIELDS_WITH_LABELS}
    return empty | {"evidence_sentence": None, "inferred": ()}


def shown(blocks: Sequence[Block]) -> list[Block]:
    """Return what a factsheet tells beside its form: from its title on, without the rows and sections that hold labels."""
    first = next(number for number, block in enumerate(blocks) if block.kind == "heading")
    kept, is_of_form = [], False
    for block in blocks[first:]:
        if block.kind == "heading" and block.level <= 2:
            is_of_form = block.text in OF_FORM
        if not is_of_form and block.kind != "row":
            kept.append(block)
    return kept


def _print_figures(name: str, compared: Sequence[Case], taxonomy: Taxonomy) -> None:
    for field, labels in FIELDS_WITH_LABELS.items():
        judged = [case for case in compared if getattr(case.labelled, labels)]
        if not judged:
            print(f"| {name} | {field} | 0 | | | | | |")
            continue
        values = [(case, value) for case in judged for value in case.inferred.inferred_in(field)]
        right = Counter(is_right(value, case, taxonomy) for case, value in values)[True]
        stated = [(case, label) for case in judged for label in _labels(case.labelled, labels)]
        found = sum(any(_agree(field, label, other, taxonomy) for other in _values(case, field)) for case, label in stated)
        documents = len({case.labelled.id for case, _ in values})
        share = _share(right, len(values))
        recall = _share(found, len(stated))
        print(f"| {name} | {field} | {len(judged)} | {documents} | {len(values)} | {right} | {share} | {recall} |")
        for confidence in sorted({value.confidence for _, value in values}, reverse=True):
            of_rule = [is_right(value, case, taxonomy) for case, value in values if value.confidence == confidence]
            share = _share(sum(of_rule), len(of_rule))
            print(f"| | … with confidence {confidence} | | | {len(of_rule)} | {sum(of_rule)} | {share} | |")


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2f}" if whole else "–"


def is_right(value: InferredValue, case: Case, taxonomy: Taxonomy) -> bool:
    """Tell whether an inferred value agrees with a label."""
    labels = _labels(case.labelled, FIELDS_WITH_LABELS[value.field])
    values = case.inferred.organisations if value.field == "organisation" else (value.value,)
    return any(_agree(value.field, label, one, taxonomy) for label in labels for one in values)


def _labels(document: Document, field: str) -> Sequence[str]:
    value = getattr(document, field)
    return value if isinstance(value, tuple) else (value,)


def _values(case: Case, field: str) -> Sequence[str]:
    if field == "organisation":
        return case.inferred.organisations
    return [value.value for value in case.inferred.inferred_in(field)]


def _agree(field: str, label: str, value: str, taxonomy: Taxonomy) -> bool:
    if field not in FIELDS:
        return label == value
    return label in taxonomy.with_broader(FIELDS[field], [value]) or value in taxonomy.with_broader(FIELDS[field], [label])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
