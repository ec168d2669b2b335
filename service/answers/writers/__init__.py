"""Who writes the sentences of an answer."""
