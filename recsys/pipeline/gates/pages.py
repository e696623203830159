"""The gate of pages: a real ranker opens the run before it is served, and is asked for pages.

A night may be sound by every number and still show nobody anything, when serving asks for more than the rules
of the lists did. So the run is opened from a folder that looks like the published one, but for its pointer.
"""

import secrets
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np

from recsys.catalogue.columns import Columns as C
from recsys.errors import RecsysError
from recsys.pipeline.gates.proposal import GateResult, Level, Proposal
from recsys.ranking.publication_filter import stopped_people
from recsys.ranking.ranker import Ranker
from recsys.safety.erasure_list import FOLDER as ERASURES
from recsys.safety.keys import SHORTEST_KEY, Keys
from recsys.safety.ledger import SafetyLedger
from recsys.safety.ledger_file import HEAD, LEDGER
from recsys.safety.store import MemorySafety
from recsys.storage.publication import RUNS, set_current_run

_SHORT: Final = 5


def pages(
    proposal: Proposal,
    staging: Path,
    published: Path,
    run_id: str,
    *,
    viewers: int,
    listed: Collection[str] | None = None,
    as_served: Callable[[Path], object] | None = None,
) -> GateResult:
    """Block when a ranker cannot open the run, or gives empty pages to many who have a list.

    viewers: how many are asked, spread over everybody with a list whom the safety ledger does not stop: of
    those a few may have an empty page by right. listed: who had a list before the ledger was asked, since
    it may leave nobody in any; None for those of `proposal`. as_served: makes of a copy of the safety ledger
    in a folder what it will be once the run is served: links of this night count then, and what refused
    nights told for now has ended.
    """
    named = proposal.lists[C.VIEWER].unique().tolist() if listed is None else listed
    try:
        with _opened_beside(staging, published, run_id) as folder:
            if as_served is not None:
                as_served(folder)
            stopped = stopped_people(proposal.people, SafetyLedger.of(folder))
            asked = _spread(sorted({*named} - stopped), viewers)
            empty = _empty_pages(asked, folder)
    except RecsysError as error:
        names = {"problem": (str(error),)}
        return GateResult("pages", Level.BLOCK, f"the run cannot be served: {error}", {"count": 1}, names)
    share, limits = empty / max(len(asked), 1), proposal.limits
    level = Level.PASS
    if share > limits.warn_empty_pages:
        level = Level.BLOCK if share > limits.block_empty_pages else Level.WARN
    numbers = {"count": empty, "asked": len(asked)}
    return GateResult("pages", level, f"{empty:,} of {len(asked):,} pages are empty", numbers)


def _spread(viewers: Sequence[str], most: int) -> list[str]:
    at = np.unique(np.linspace(0, len(viewers) - 1, min(most, len(viewers))).round().astype(int))
    return [viewers[i] for i in at] if viewers else []


@contextmanager
def _opened_beside(staging: Path, published: Path, run_id: str) -> Iterator[Path]:
    """Make a folder that looks like the published one once the run is served; its ledger is a copy."""
    with tempfile.TemporaryDirectory() as name:
        folder, real = Path(name).resolve(), published.resolve()
        (folder / RUNS).mkdir()
        (folder / RUNS / run_id).symlink_to(staging.resolve(), target_is_directory=True)
        for part in (LEDGER, HEAD):
            if (real / part).exists():
                shutil.copyfile(real / part, folder / part)
        if (real / ERASURES).exists():
            (folder / ERASURES).symlink_to(real / ERASURES)
        set_current_run(folder, run_id)
        yield folder


def _empty_pages(asked: Sequence[str], folder: Path) -> int:
    keys = Keys((secrets.token_bytes(SHORTEST_KEY),))  # its receipts are shown to nobody
    ranker = Ranker.open(folder, safety=MemorySafety(), max_staleness=None, poll_s=0, keys=keys)
    return sum(not ranker.rank(viewer, k=_SHORT).items for viewer in asked)
