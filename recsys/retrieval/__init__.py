"""Exact mutual top-k under constraints."""
