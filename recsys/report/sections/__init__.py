"""The parts of the page, one a file: each takes the night and the words and returns markup."""
