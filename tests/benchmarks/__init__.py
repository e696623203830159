"""The commands that show the figures: `python -m tests.benchmarks.NAME`."""
