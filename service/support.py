"""Is a sentence supported by the passages that it cites? Checked in steps, each of which can only reject.

1. The sentence cites a passage.
2. Every number of the sentence stands in the cited passages.
3. Every name does, or the document's title holds it; a country may be named in another language.
4. One sentence of the passages, or two that follow each other, says the same. Within a language: it holds nearly all of
   the sentence's words, rare ones counting more, and negates as it does. Across languages: their vectors are as near as
   those of translations are.

The last step across languages cannot see a word that was exchanged for another of its kind ("young" for "old"); numbers and
names it does see. `docs/answers.md` has how often each step errs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pes_search.index.encoder import Encoder
from pes_search.index.store import OpenIndex
from pes_search.index.tokens import terms
from pes_search.index.types import Hit
from pes_search.ingest.languages import detect_language
from pes_search.service.evidence import numbers
from pes_search.service.names import WORD, country_names, names_of, plain_text
from pes_search.service.types import Citation

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Vectors = npt.NDArray[np.float32]

COVERED = 0.8  # of the idf mass of a sentence's terms that its source must hold, within a language
# Cosine from which two sentences in different languages say the same: of XQuAD's German sentences 67 % are so near to their own
# English one, 1.9 % to another of the paragraph (docs/answers.md).
TRANSLATION = 0.92
BRACKETS = re.compile(r"\([^()]*\)")
LEAST_TERMS = 2  # a sentence of fewer says nothing
NEGATIONS = {
    "en": {"not", "no", "never", "without", "nor", "none", "neither", "cannot"},
    "de": {"nicht", "kein", "keine", "keinen", "keiner", "nie", "niemals", "ohne"},
    "fr": {"ne", "pas", "jamais", "sans", "aucun", "aucune", "ni"},
    "es": {"no", "nunca", "sin", "ningún", "ninguna", "ni", "jamás"},
    "it": {"non", "mai", "senza", "nessun", "nessuna", "né"},
    "pt": {"não", "nunca", "sem", "nenhum", "nenhuma", "nem"},
    "pl": {"nie", "bez", "nigdy", "żaden", "ani"},
    "nl": {"niet", "geen", "nooit", "zonder"},
    "ro": {"nu", "fără", "niciodată", "nici"},
}


@dataclass(frozen=True, slots=True)
class SupportCheck:
    """Holds sentences against passages."""

    encoder: Encoder
    index: OpenIndex

    def citations(self, text: str, language: str | None, cited: Sequence[Hit]) -> tuple[Citation, ...]:
        """Return the quotations of the cited passages that support a sentence, the best first; none if it is unsupported."""
        if not cited or not _stated(text, language, cited):
            return ()
        words = terms(text, cited[0].passage.language)
        if len(words) < LEAST_TERMS:
            return ()
        found = []
        for hit in cited:
            best = max(self._sources(text, language, words, hit), key=lambda one: one.support, default=None)
            if best is not None:
                found.append(best)
        return tuple(sorted(found, key=lambda one: -one.support))

    def _sources(self, text: str, language: str | None, words: Sequence[str], hit: Hit) -> Iterator[Citation]:
        """Yield the stretches of a passage that support a sentence."""
        passage, document = hit.passage, hit.document
        spans, _ = self.index.sentences(passage.id)
        sources = [passage.text[start:end] for start, end in spans]
        # A model asked in German may answer in English; only what is in another language for sure is judged by meaning.
        if language not in {None, passage.language} and detect_language(text) == language:
            vectors = self.encoder.encode_passages([text, *sources])
            for (start, end), cosine in zip(spans, (vectors[1:] @ vectors[0]).tolist(), strict=True):
                if cosine >= TRANSLATION:
                    yield Citation(passage, document, start, end, round(min(1.0, cosine), 4))
            return
        idf = {word: self.index.idf(word) for word in words}
        total = sum(idf.values())
        negated = _negated(text, passage.language)
        runs = [(at, at + length) for length in (1, 2) for at in range(len(spans) - length + 1)]
        for first, last in runs:
            held = set(terms(" ".join([document.title, *sources[first:last]]), passage.language))
            covered = sum(value for word, value in idf.items() if word in held) / total if total else 0.0
            if covered >= COVERED and all(_negated(source, passage.language) == negated for source in sources[first:last]):
                yield Citation(passage, document, spans[first][0], spans[last - 1][1], round(min(1.0, covered), 4))


def _stated(text: str, language: str | None, cited: Sequence[Hit]) -> bool:
    """Tell whether the cited passages hold every number and name of a sentence."""
    sources = [f"{hit.document.title}\n{hit.document.organisation or ''}\n{hit.passage.text}" for hit in cited]
    if numbers(text) - frozenset[str]().union(*map(numbers, sources)):
        return False
    held = " ".join(plain_text(source) for source in sources)
    countries = {country for hit in cited for country in hit.document.countries}
    own_names = country_names(language or "en")
    return all(plain_text(name) in held or own_names.get(plain_text(name)) in countries for name in names_of(text, language))


def _negated(text: str, language: str | None) -> bool:
    """Tell whether a sentence holds a word that negates; what stands in brackets ("date not stated") is said by the way."""
    plain = BRACKETS.sub(" ", text).casefold().replace("’", "'").replace("n't", " not")
    return not NEGATIONS.get(language or "en", set()).isdisjoint(WORD.findall(plain))
