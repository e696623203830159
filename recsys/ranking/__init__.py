"""Joins models, constraints and retrieval into lists."""
