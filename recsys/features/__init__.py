"""Answers become numeric blocks: what each person looks for and what each person is."""
