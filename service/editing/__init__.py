"""What editors of a collection do: compare, look for gaps and duplicates, judge, hand in, take out."""
