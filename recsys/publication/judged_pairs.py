"""What the model of a night said of pairs before they answered, and what they answered."""

from pathlib import Path
from typing import Final

import pandas as pd

from recsys.errors import SourceError, explained
from recsys.schema.columns import Columns as C
from recsys.storage.durable import durable_file

LIKED: Final = "liked"
MUTUAL: Final = "mutual"
COLUMNS: Final = (C.VIEWER, C.CANDIDATE, C.P_LIKE, C.P_MUTUAL, LIKED, MUTUAL)
_LABEL: Final = "label"


def judged_pairs(scored: pd.DataFrame, answered: pd.DataFrame, mutual: pd.DataFrame) -> pd.DataFrame:
    """Return scored pairs with `liked` and `mutual`, 1 or 0, missing where it is not known.

    `answered` and `mutual` hold viewer_id, candidate_id, label.

    >>> pair = pd.DataFrame({"viewer_id": ["a"], "candidate_id": ["b"]})
    >>> scored, yes = pair.assign(p_like=0.5, p_mutual=0.25), pair.assign(label=1.0)
    >>> judged_pairs(scored, yes, yes.iloc[:0])[["liked", "mutual"]].to_numpy().tolist()
    [[1.0, nan]]
    """
    pairs = scored[[C.VIEWER, C.CANDIDATE, C.P_LIKE, C.P_MUTUAL]]
    for name, known in ((LIKED, answered), (MUTUAL, mutual)):
        said = known[[C.VIEWER, C.CANDIDATE, _LABEL]].rename(columns={_LABEL: name})
        pairs = pairs.merge(said, on=[C.VIEWER, C.CANDIDATE], how="left")
    return pairs.astype({LIKED: "float64", MUTUAL: "float64"})


def write_judged(path: Path, pairs: pd.DataFrame | None) -> None:
    """Write judged pairs; a file without rows when nothing could be judged."""
    rows = pd.DataFrame(columns=list(COLUMNS)) if pairs is None else pairs[list(COLUMNS)]
    with durable_file(path) as file:
        rows.to_parquet(file, index=False)


def read_judged(path: Path) -> pd.DataFrame:
    """Read what `write_judged` wrote.

    Raises SourceError when the file is not one.
    """
    try:
        return pd.read_parquet(path, columns=list(COLUMNS))
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise SourceError(explained("not a file of judged pairs", where=str(path), got=reason)) from error
