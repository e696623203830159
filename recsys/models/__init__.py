"""Everything that scores: two matrices, `taste` and `appeal`."""
