"""A synthetic town that answers lists with events; calls no ranker."""
