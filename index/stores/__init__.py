"""Where an index is kept, and what can be asked of it."""
