"""Rules over whole rows, and over all rows of a person."""
