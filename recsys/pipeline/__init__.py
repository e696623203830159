"""One night as files: runs, manifest, gates and the pointer."""
