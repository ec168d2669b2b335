"""What the service remembers of what people leave."""
