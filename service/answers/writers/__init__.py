"""Who writes the sentences of an answer.

To add a writer: a module here with a function that makes it, a line in `WRITERS`, and its name in `WriterName`, which
the settings, the command line and the HTTP interface take.
"""

from __future__ import annotations

from collections.abc import Callable

from pes_search.index.encoders.base import Encoder
from pes_search.index.open_index import OpenIndex
from pes_search.ingest.parts import Part, Parts
from pes_search.service.answers.config import AnswerConfig
from pes_search.service.answers.types import Writer

WRITERS: Parts[Callable[[AnswerConfig, Encoder, OpenIndex], Writer], Part] = Parts(
    "writer",
    {
        "extractive": Part("pes_search.service.answers.writers.quotations:quotations_writer"),
        "llm": Part("pes_search.service.answers.writers.language_model:language_model_writer"),
    },
)
