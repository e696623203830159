"""Reasons, in words for people."""
