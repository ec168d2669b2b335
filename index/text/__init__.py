"""What is read of a text: its words, and what a passage shows of its document."""
