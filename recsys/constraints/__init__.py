"""What is forbidden: plain per-pair rules, their compiled masks, and why a pair is refused."""
