"""Who may do and read what."""
