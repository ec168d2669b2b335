"""How well copies and translations are found: pairs made by script, of which the truth is known.

    python -m pes_search.eval.experiments.copies

Every write-up of `corpus/practices` is changed in one way each, and all of them are looked through together; translations are
XQuAD's paragraphs in five languages. A pair is right if both are forms of one text.
"""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np

from pes_search.eval.collections.beir import read_beir
from pes_search.index.copies import CopyFinder, signature_of
from pes_search.index.encoders import load_encoder
from pes_search.index.encoders.base import Encoder
from pes_search.ingest.documents import read_document
from pes_search.ingest.passages import build_pages, build_passages
from pes_search.ingest.sources import find_files
from pes_search.ingest.types import Block, Document, Passage
from pes_search.service.settings import read_settings

BENCH = Path("../shared/data/bench")
LANGUAGES = ("en", "de", "es", "ro", "el")
OF_ONE_TEXT = "~of~"  # between a form's name and the text's in an id
CUTS = (0.8, 0.7, 0.6, 0.5)


def main() -> int:
    """Print precision and recall of pairs; return the exit status."""
    settings = read_settings()
    encoder = load_encoder(settings.encoder, settings.cache_dir)
    read = [read_document(file) for file in find_files(["corpus/practices"]) if file.path.suffix == ".md"]
    print("| form of a write-up | pairs | found | wrong |\n|---|---|---|---|")
    chance = random.Random(1)  # noqa: S311 – no secret
    for name, change in forms(chance).items():
        finder = CopyFinder()
        for one in read:
            for form, blocks in (("as-it-is", one.blocks), ("changed", change(one.blocks))):
                document = replace(one.document, id=f"{form}{OF_ONE_TEXT}{one.document.id}")
                passages = build_passages(document, build_pages(document, blocks), encoder.token_starts, settings.passages)
                finder.add(signature_of(document, passages), np.zeros(encoder.dimensions, np.float32))
        print(f"| {name} | {len(read)} | {_counted(finder)} |")
    if not (BENCH / "xquad-en").is_dir():
        print(f"no translations: {BENCH} is not there", file=sys.stderr)
        return 0
    finder = translations(encoder)
    texts = len({_text_of(known) for group in finder.groups() for known, _ in group})
    pairs = len([*combinations(LANGUAGES, 2)]) * 240
    print(f"| translated (XQuAD, five languages; {texts} of 240 texts in a group) | {pairs} | {_counted(finder)} |")
    return 0


def forms(chance: random.Random) -> Mapping[str, Callable[[list[Block]], list[Block]]]:
    """Return what is done to a text, by name."""
    head = [Block("paragraph", "Forwarded by the press office. The story of the month, as told at the spring meeting.")]
    foot = [Block("paragraph", "Questions? Write to the editors, or read the other stories of this issue on our pages.")]
    cuts = {f"cut to {share:.0%}": _cut(share) for share in CUTS}
    return {
        "other head and foot": lambda blocks: [*head, *blocks[1:], *foot],
        "a tenth of the sentences reworded": lambda blocks: [_reworded(block, chance) for block in blocks],
        "other format: no headings, one long text": lambda blocks: [Block("paragraph", " ".join(b.text for b in blocks))],
        **cuts,
    }


def _cut(share: float) -> Callable[[list[Block]], list[Block]]:
    return lambda blocks: blocks[: max(1, round(len(blocks) * share))]


def _reworded(block: Block, chance: random.Random) -> Block:
    sentences = re.split(r"(?<=[.!?]) ", block.text)
    return replace(block, text=" ".join(_shuffled(one, chance) if chance.random() < 0.1 else one for one in sentences))


def _shuffled(sentence: str, chance: random.Random) -> str:
    words = sentence.split()
    return " ".join(chance.sample(words, len(words)))


def translations(encoder: Encoder) -> CopyFinder:
    """Return a finder that has XQuAD's paragraphs in all languages."""
    finder = CopyFinder()
    for language in LANGUAGES:
        collection = read_beir(BENCH / f"xquad-{language}")
        texts = [(collection.original_ids[one.id], blocks[-1].text) for one, blocks in collection.documents]
        vectors = encoder.encode_passages([text for _, text in texts])
        for (text_id, text), vector in zip(texts, vectors, strict=True):
            name = f"{language}{OF_ONE_TEXT}{text_id}"
            document = Document(name, "", "document", language, name, name)
            finder.add(signature_of(document, [Passage(name, name, None, 0, len(text), (), language, text)]), vector)
    return finder


def _counted(finder: CopyFinder) -> str:
    """Return how many pairs of the groups are of one text, and how many are not."""
    pairs = [pair for group in finder.groups() for pair in combinations([known for known, _ in group], 2)]
    right = sum(_text_of(first) == _text_of(second) for first, second in pairs)
    return f"{right} | {len(pairs) - right}"


def _text_of(document_id: str) -> str:
    return document_id.partition(OF_ONE_TEXT)[2]


if __name__ == "__main__":
    sys.exit(main())
