"""The HTTP service: every public route of the ranker for a backend in any language (extra `serve`)."""
