"""What is learnt, and from what."""
