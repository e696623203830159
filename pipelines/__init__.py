"""The stages of a night, one a file; each reads files, calls the library, and writes files."""
