"""What the gates said about a run, as a file beside it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from recsys.publication.gates import GateResult, Level

GATES_FILE: Final = "gates.json"


def gates_bytes(gates: Sequence[GateResult]) -> bytes:
    """Return answers as the content of their file."""
    rows = [asdict(result) | {"level": result.level.name} for result in gates]
    return json.dumps(rows, ensure_ascii=False, indent=1).encode() + b"\n"


def read_gates(folder: Path) -> list[GateResult]:
    """Read what the gates said about a run; earlier files hold no names."""
    return [
        GateResult(found["gate"], Level[found["level"]], found["message"], found["numbers"], _names(found))
        for found in json.loads((folder / GATES_FILE).read_bytes())
    ]


def _names(found: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {key: tuple(names) for key, names in found.get("names", {}).items()}
