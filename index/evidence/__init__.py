"""What speaks for a passage: one kind of evidence a file, and how they become one score."""
