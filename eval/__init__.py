"""Are the hits good? Retrieval measured on judged questions."""
