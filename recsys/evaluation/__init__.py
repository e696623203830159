"""Splits, metrics and intervals; knows no model."""
