"""What documents are cleaned of."""
