"""Who works through the parts of a step: this process, several, or a cluster; the bytes are the same."""
