"""The rules of the project's own corpus: the schema of its files, its controlled terms, and where its figures come from."""
