"""A real backend, several workers, clients that do not wait for each other."""
