"""`make text-vectors`: the vectors of lists' labels and documents' questions, written beside them for first builds."""

from __future__ import annotations

import sys

from pes_search.index.encoders import load_encoder
from pes_search.index.evidence.concepts import labels_of
from pes_search.index.evidence.text_vectors import write_text_vectors
from pes_search.ingest.errors import PesSearchError
from pes_search.ingest.questions import FOLDER, QUESTION_VECTORS, read_questions
from pes_search.ingest.taxonomy import LABEL_VECTORS, read_taxonomy
from pes_search.service.settings import read_settings


def main() -> int:
    """Encode the labels of the lists that the settings name and the questions beside them; return the exit status."""
    try:
        settings = read_settings()
        encoder = load_encoder(settings.encoder, settings.cache_dir)
        texts = list(dict.fromkeys(label.text for label in labels_of(read_taxonomy(settings.taxonomy))))
        write_text_vectors(settings.taxonomy / LABEL_VECTORS, encoder.model_id, texts, encoder.encode_queries(texts))
        folder = settings.taxonomy.parent / FOLDER
        questions = [text for path in sorted(folder.glob("*.yaml")) for _, text in read_questions(path)]
        write_text_vectors(folder / QUESTION_VECTORS, encoder.model_id, questions, encoder.encode_queries(questions), bits=4)
    except PesSearchError as error:
        print(f"text-vectors: {error}", file=sys.stderr)
        return 1
    print(f"{len(texts)} labels and {len(questions)} questions, model {encoder.model_id}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
