"""Recommendations: lists from models, constraints and retrieval, and the ranker that serves them."""
