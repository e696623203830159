"""The jobs as data: title, the lines before and after, and the code, for the tests and for the documentation."""

import ast
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
MOST_LINES = 5
MOST_CHARACTERS = 100


@dataclass(frozen=True)
class Job:
    """One job. before: lines it took with the version before these functions, or that it could not be done."""

    name: str
    title: str
    before: str
    given: tuple[str, ...]
    code: str

    @property
    def lines(self) -> int:
        """How many lines a user writes: statements, each on one line."""
        return len(self.code.strip().splitlines())

    @classmethod
    def read(cls, path: Path) -> "Job":
        """Read a script: a docstring with title and `before`, a line of what is given, and the code."""
        text = path.read_text("utf-8")
        words = (ast.get_docstring(ast.parse(text)) or "").split("\n")
        head, _, rest = text.partition("# given: ")
        given, _, code = rest.partition("\n")
        assert head.strip().endswith('"""')
        return cls(path.stem, words[0].rstrip("."), words[-1].removeprefix("before: "), tuple(given.split(", ")), code)


def jobs() -> list[Job]:
    """Return every job, by name."""
    others = {"__init__", "conftest", "jobs", "pictures"}
    return [Job.read(p) for p in sorted(FOLDER.glob("*.py")) if p.stem not in others and not p.stem.startswith("test_")]
