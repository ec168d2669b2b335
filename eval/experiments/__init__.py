"""What was tried: ablations, other systems, speed."""
