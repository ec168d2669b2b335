"""The encoder under other names, which no index can tell from other models."""

import copy

from pes_search.index.encoders.base import Encoder, EncoderConfig
from pes_search.index.encoders.identity import model_id
from pes_search.index.encoders.packaged import PROMPTS


def renamed(encoder: Encoder, weights: str, config: EncoderConfig) -> Encoder:
    """The same encoder with the name that a model of these weights and prompts would have."""
    other = copy.copy(encoder)
    query = PROMPTS["query"] if config.query_prompt is None else config.query_prompt
    other.model_id = model_id(config, weights, query, PROMPTS["passage"])
    return other
