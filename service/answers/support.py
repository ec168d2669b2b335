"""Is a sentence supported by the passages that it cites? Whatever is not certain is rejected.

A cited passage supports a sentence if one of its sentences (or an item of a list with the line that introduces it) does:

- Within a language it has every word of the sentence that carries meaning, in the same order, apart from words of the
  document's title. So neither an invented word nor figures that changed places get through; nor do true sentences in other
  words.
- Across languages their vectors are as near as those of translations are, and it has the sentence's numbers, its names of
  capitals and, in languages that write nouns small, its other names; a country may be named in either language.
- Both negate, or neither does.

Across languages a word that was exchanged for another of its kind ("young" for "old") is not seen. `docs/answers.md` has how
often that step errs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pes_search.index.encoders.base import Encoder
from pes_search.index.open_index import OpenIndex
from pes_search.index.text.tokens import terms
from pes_search.index.text.words import without_brackets
from pes_search.index.types import Hit
from pes_search.ingest.languages import known_languages
from pes_search.ingest.languages.identify import detect_language
from pes_search.service.answers.names import WORD, countries_of, names_of, plain_text
from pes_search.service.answers.sentences import list_around, numbers, quoted_span
from pes_search.service.answers.types import Citation

if TYPE_CHECKING:
    pass


# A word carries meaning unless it is this much more common than the rarest of the sentence ("in", "the").
MEANING_IDF_SHARE = 0.3
# Cosine from which two sentences in different languages say the same: of XQuAD's German sentences 67 % are so near to their own
# English one, 1.9 % to another of the paragraph (docs/answers.md).
TRANSLATION_COSINE = 0.92
LEAST_SENTENCE_TERMS = 3  # a sentence of fewer says nothing


@dataclass(frozen=True, slots=True)
class SupportCheck:
    """Holds sentences against passages."""

    encoder: Encoder
    index: OpenIndex

    def citations(self, text: str, language: str | None, cited: Sequence[Hit]) -> tuple[Citation, ...]:
        """Return the quotations of the cited passages that support a sentence, the best first; none if it is unsupported.

        `language` is that in which the sentence was asked for.
        """
        citations = [citation for hit in cited for citation in self._best(text, language, hit)]
        return tuple(sorted(citations, key=lambda citation: -citation.support))

    def _best(self, text: str, language: str | None, hit: Hit) -> list[Citation]:
        """Return the quotation of a passage that supports a sentence best, if one does."""
        passage = hit.passage
        if len(terms(text, passage.language)) < LEAST_SENTENCE_TERMS:
            return []
        # A model asked in German may answer in English; only what is in another language for sure is judged by meaning.
        other = language not in {None, passage.language} and passage.language is not None and detect_language(text) == language
        support = self._by_meaning(text, language, hit) if other else self._by_words(text, hit)
        return sorted(support, key=lambda citation: -citation.support)[:1]

    def _by_words(self, text: str, hit: Hit) -> Iterator[Citation]:
        passage, document = hit.passage, hit.document
        words = terms(text, passage.language)
        known_idf = self.index.stored.idf(words)
        idf = [known_idf[word] for word in words]
        least = MEANING_IDF_SHARE * max(idf)
        of_title = set(terms(document.title, passage.language))
        needed = [word for word, value in zip(words, idf, strict=True) if value >= least and word not in of_title]
        if not needed:
            return
        for start, end in self.index.stored.sentences([passage.id])[0].spans:
            source = _with_introduction(passage.text, start, end)
            ordered = _longest_common(needed, terms(source, passage.language)) == len(needed)
            if ordered and _negated(text, passage.language) == _negated(without_brackets(source), passage.language):
                yield Citation(passage, document, *quoted_span(passage.text, start, end))

    def _by_meaning(self, text: str, language: str | None, hit: Hit) -> Iterator[Citation]:
        passage, document = hit.passage, hit.document
        spans = self.index.stored.sentences([passage.id])[0].spans
        vectors = self.encoder.encode_passages([text, *(passage.text[start:end] for start, end in spans)])
        for (start, end), cosine in zip(spans, (vectors[1:] @ vectors[0]).tolist(), strict=True):
            source = _with_introduction(passage.text, start, end)
            if (
                cosine >= TRANSLATION_COSINE
                and _stated(text, language, f"{document.title}\n{source}", hit)
                and _negated(text, language) == _negated(without_brackets(source), passage.language)
            ):
                yield Citation(passage, document, *quoted_span(passage.text, start, end), round(min(1.0, cosine), 4))


def _with_introduction(text: str, start: int, end: int) -> str:
    """Return a sentence, an item of a list with the line that introduces the list."""
    around = list_around(text, start)
    lead = text[around[0] : text.index("\n\n", around[0])] if around else ""
    return f"{lead} {text[start:end]}".strip()


def _longest_common(first: Sequence[str], second: Sequence[str]) -> int:
    """Return the length of the longest common subsequence."""
    lengths = [0] * (len(second) + 1)
    for word in first:
        before = 0
        for position, other in enumerate(second, start=1):
            kept = lengths[position]
            lengths[position] = before + 1 if word == other else max(lengths[position], lengths[position - 1])
            before = kept
    return lengths[-1]


def _stated(text: str, language: str | None, source: str, hit: Hit) -> bool:
    """Tell whether a source in another language has every number and name of a sentence."""
    if numbers(text) - numbers(source):
        return False
    named = countries_of(text, language) - set(hit.document.countries)
    if named - countries_of(source, hit.passage.language):
        return False
    source_words = f" {' '.join(WORD.findall(plain_text(source)))} "
    own_countries = {word for name in countries_of(text, language, names=True) for word in name.split()}
    return all(f" {name} " in source_words or name in own_countries for name in map(plain_text, names_of(text, language)))


def _negated(text: str, language: str | None) -> bool:
    """Tell whether a sentence holds a word that negates."""
    plain = text.casefold().replace("’", "'").replace("n't", " not").replace("'", " ")
    known = known_languages().get(language or "en")
    return known is not None and not known.negations.isdisjoint(WORD.findall(plain))
