"""Twelve jobs of a data scientist's week as scripts: few lines of a user's code each, run as tests."""
