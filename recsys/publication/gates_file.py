"""What the gates said about a run, as a file beside it."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from recsys.publication.gates import GateResult, Level

GATES_FILE: Final = "gates.json"


def gates_bytes(gates: Sequence[GateResult]) -> bytes:
    """Return answers as the content of their file."""
    rows = [asdict(result) | {"level": result.level.name} for result in gates]
    return json.dumps(rows, ensure_ascii=False, indent=1).encode() + b"\n"


def read_gates(folder: Path) -> list[GateResult]:
    """Read what the gates said about a run."""
    return [
        GateResult(found["gate"], Level[found["level"]], found["message"], found["numbers"])
        for found in json.loads((folder / GATES_FILE).read_bytes())
    ]
