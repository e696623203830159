"""What happened between people: labels, separations and the stage of a pair, as of a time."""
