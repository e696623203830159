"""History: what every night measured, in a small file that outlives its run."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from recsys.errors import RecsysError
from recsys.pipeline.gates.proposal import GateResult, Level, Numbers
from recsys.pipeline.retention import run_folders
from recsys.storage.atomic_write import write_atomically
from recsys.storage.json_lines import read_json_lines
from recsys.storage.manifest import read_manifest
from recsys.storage.publication import LISTS, RUNS

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


HISTORY: Final = "history.jsonl"
MAX_NIGHTS: Final = 400
FOUR_WEEKS: Final = timedelta(days=28)
"""How long ago published nights were that gates judge with tonight."""


@dataclass(frozen=True)
class PastNight:
    """One night in numbers; nothing in it names a person.

    published: False when a gate refused it. rows: suggestions, None when unknown. levels: the level of
    each gate, by name; numbers: what it measured, as the usual bands of later nights need it.
    made_from: fingerprints of data, model, policy, code, params.
    """

    run_id: str
    created_at: str
    data_as_of: str
    published: bool
    rows: int | None
    levels: Mapping[str, str]
    numbers: Numbers
    made_from: Mapping[str, str]

    @property
    def level(self) -> Level:
        """The highest answer of all gates."""
        return max((Level[name] for name in self.levels.values()), default=Level.PASS)

    def is_since(self, moment: datetime) -> bool:
        """Say whether it was made at a moment or later; one of an unknown time was not.

        >>> from datetime import UTC
        >>> night = PastNight("n", "2026-01-05T03:00:00+00:00", "", True, None, {}, {}, {})
        >>> [night.is_since(datetime(2026, 1, day, tzinfo=UTC)) for day in (5, 6)]
        [True, False]
        """
        with suppress(ValueError, TypeError):
            made = datetime.fromisoformat(self.created_at)
            return (made if made.tzinfo else made.replace(tzinfo=UTC)) >= moment
        return False

    def number(self, gate: str, name: str) -> float | None:
        """Return one number a gate counted, None when it did not."""
        found = self.numbers.get(gate, {}).get(name)
        return float(found) if isinstance(found, int | float) else None


def read_history(published: Path) -> list[PastNight]:
    """Return every night that is known, oldest first: those of the file, and runs that are not in it yet.

    A line or a run that cannot be read is left out: a history is a help, not a proof.
    """
    known = {night.run_id: night for night in _of_file(published / HISTORY)}
    for folder in run_folders(published):
        if folder.name not in known:
            with suppress(OSError, ValueError, KeyError, TypeError, AttributeError, RecsysError):
                known[folder.name] = _of_run(folder)
    return [known[run_id] for run_id in sorted(known)]


def write_history(published: Path) -> None:
    """Write down what is known, the latest `MOST_NIGHTS` nights, before any run leaves the disk.

    The file is replaced at once. Until it could be written the runs themselves hold the numbers, so
    that a crash or a full disk here costs nothing, and the publication that was just made stands.
    """
    lines = [json.dumps(asdict(night), ensure_ascii=False) for night in read_history(published)[-MAX_NIGHTS:]]
    with suppress(OSError):
        write_atomically(published / HISTORY, "".join(f"{line}\n" for line in lines).encode())


def _of_file(path: Path) -> list[PastNight]:
    try:
        lines = read_json_lines(path)
    except OSError:
        return []
    nights = []
    for line in lines:
        with suppress(ValueError, KeyError, TypeError, AttributeError):
            nights.append(_of_line(json.loads(line)))
    return nights


def _of_line(found: Mapping[str, Any]) -> PastNight:
    night = PastNight(**found)
    _ = night.level, [night.number(gate, name) for gate, names in night.numbers.items() for name in names]
    return night


def _of_run(folder: Path) -> PastNight:
    manifest, gates = read_manifest(folder), read_gates(folder)
    return PastNight(
        run_id=manifest.run_id,
        created_at=manifest.created_at,
        data_as_of=manifest.data_as_of,
        published=folder.parent.name == RUNS,
        rows=manifest.files[LISTS].rows,
        levels={result.gate: result.level.name for result in gates},
        numbers={result.gate: dict(result.numbers) for result in gates},
        made_from=manifest.made_from.model_dump(),
    )
