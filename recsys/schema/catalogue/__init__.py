"""Interests, questions, topics and every text for people, in Japanese and English."""
