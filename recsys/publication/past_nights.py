"""What the gates of earlier nights counted: the noise a number usually has."""

from pathlib import Path

from recsys.errors import RecsysError
from recsys.publication.gates.gate import Numbers
from recsys.publication.gates_file import read_gates
from recsys.publication.retention import run_ids
from recsys.storage.published import RUNS


def past_nights(published: Path) -> tuple[Numbers, ...]:
    """Return the numbers of every publication that is kept, by gate, the latest last.

    A run whose file cannot be read is left out: a band is a help, not a proof.
    """
    found = []
    for run_id in run_ids(published):
        try:
            found.append({result.gate: result.numbers for result in read_gates(published / RUNS / run_id)})
        except (OSError, ValueError, KeyError, TypeError, RecsysError):
            continue
    return tuple(found)
