"""What is known of each language that documents are in, one file a language."""
