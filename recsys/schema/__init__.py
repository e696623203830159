"""Tables, their words and contracts, and the `Population` they become."""
