"""Mutual, boundary-respecting recommendations for companionship communities."""
