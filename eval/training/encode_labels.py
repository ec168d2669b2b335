"""`make label-vectors`: the vectors of the controlled lists' labels, written beside the lists for every first build."""

from __future__ import annotations

import sys

from pes_search.index.encoders import load_encoder
from pes_search.index.evidence.concepts import labels_of
from pes_search.index.evidence.label_vectors import write_label_vectors
from pes_search.ingest.errors import PesSearchError
from pes_search.ingest.taxonomy import LABEL_VECTORS, read_taxonomy
from pes_search.service.settings import read_settings


def main() -> int:
    """Encode the labels of the lists that the settings name; return the exit status."""
    try:
        settings = read_settings()
        encoder = load_encoder(settings.encoder, settings.cache_dir)
        texts = list(dict.fromkeys(label.text for label in labels_of(read_taxonomy(settings.taxonomy))))
        write_label_vectors(settings.taxonomy, encoder.model_id, texts, encoder.encode_queries(texts))
    except PesSearchError as error:
        print(f"label-vectors: {error}", file=sys.stderr)
        return 1
    print(f"{len(texts)} labels, model {encoder.model_id}: {settings.taxonomy / LABEL_VECTORS}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
