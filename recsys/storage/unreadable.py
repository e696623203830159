"""What is said of a file that cannot be read, whatever library said it first."""

from pathlib import Path

from recsys.errors import SourceError, explained


def unreadable(path: Path, error: Exception, remedy: str) -> SourceError:
    """Return the error for a file, with the library's reason on one line."""
    reason = " ".join(str(error).split())
    kind = type(error).__name__
    return SourceError(explained(f"cannot be read ({kind})", where=str(path), got=reason, remedy=remedy))
