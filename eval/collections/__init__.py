"""Test collections: documents, questions, judgments and gold answers."""
