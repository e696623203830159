"""What was shown, as events for the next night."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

import pandas as pd

from recsys.errors import InputError, explained
from recsys.ranking.page import Receipt
from recsys.schema.columns import Columns as C

SURFACE: Final = "list"


def impressions(receipt: Receipt, shown: Sequence[str]) -> pd.DataFrame:
    """Return one `impression` event for each person of the receipt who was really shown.

    Columns as in the events table: event_id, ts, actor, target, type, surface, position (on the page),
    propensity and model_version. The same receipt gives the same event ids, so that recording twice
    counts once.

    Raises InputError when somebody is named whom the receipt does not offer.
    """
    if isinstance(shown, str) or not all(isinstance(one, str) for one in shown):
        raise InputError(explained("people shown are named by a list of ids"))
    named = dict.fromkeys(shown)
    offered = [one for one in receipt.offered if one.candidate_id in named]
    if len(offered) < len(named):
        what = f"{len(named) - len(offered)} of the people shown are not on the receipt"
        raise InputError(explained(what, remedy="record each page with its own receipt"))
    at = pd.Timestamp(receipt.as_of)
    return pd.DataFrame(
        {
            C.EVENT: pd.Series([_event_id(receipt, one.candidate_id) for one in offered], dtype="str"),
            C.TS: pd.Series([at] * len(offered), dtype="datetime64[us, UTC]"),
            C.ACTOR: pd.Series(receipt.viewer_id, index=range(len(offered)), dtype="str"),
            C.TARGET: pd.Series([one.candidate_id for one in offered], dtype="str"),
            C.TYPE: pd.Series("impression", index=range(len(offered)), dtype="str"),
            C.SURFACE: pd.Series(SURFACE, index=range(len(offered)), dtype="str"),
            C.POSITION: pd.Series([one.position for one in offered], dtype="int64"),
            C.PROPENSITY: pd.Series([one.propensity for one in offered], dtype="float64"),
            C.MODEL_VERSION: pd.Series(receipt.model_version, index=range(len(offered)), dtype="str"),
        }
    )


def _event_id(receipt: Receipt, candidate: str) -> str:
    text = "\n".join((receipt.run_id, receipt.viewer_id, receipt.as_of, candidate))
    return f"imp-{blake2b(text.encode(), digest_size=16).hexdigest()}"
