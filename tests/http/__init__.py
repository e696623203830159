"""The HTTP service, asked as a client asks it."""
