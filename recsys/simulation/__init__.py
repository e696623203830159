"""A synthetic town that answers lists with events, and many nights in it for several policies."""
