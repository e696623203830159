"""The gate between a challenger and the title of champion."""

import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.errors import TrackingError, explained
from recsys.evaluation.bootstrap import Interval
from recsys.evaluation.compare import EVERYBODY, compare
from recsys.evaluation.evaluate import evaluate_probabilities
from recsys.evaluation.protocol import as_lists
from recsys.pipeline.evaluation_data import LIKED, MUTUAL, read_evaluated_pairs
from recsys.settings import PromotionSettings, TrackingSettings
from recsys.tracking.mlflow_tracker import MlflowStore
from recsys.tracking.night_tracking import EVALUATED_PAIRS, tracking_store
from recsys.tracking.registry import CHALLENGER, CHAMPION, ModelVersion

PLACES: Final = 10
METRIC: Final = f"ndcg@{PLACES}"
_LABEL: Final = "label"


@dataclass(frozen=True)
class PromotionCheck:
    """The result of one check; `reason` is the text `promotion.REASON` of the catalogue."""

    good: bool
    reason: str
    figures: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Promotion:
    """How asking for the title ended."""

    challenger: ModelVersion
    champion: ModelVersion | None
    answers: tuple[PromotionCheck, ...]
    promoted: bool

    @property
    def refused(self) -> bool:
        """Whether a check failed."""
        return any(not answer.good for answer in self.answers)


def promote(chosen: TrackingSettings) -> Promotion:
    """Make the challenger the champion when the gate lets it through.

    Raises TrackingError when there is no challenger, or the store cannot be used.
    """
    _, registry = tracking_store(chosen)
    challenger, champion = registry.by_alias(CHALLENGER), registry.by_alias(CHAMPION)
    if challenger is None:
        remedy = "run make nightly first"
        raise TrackingError(explained("there is no challenger", where=registry.store.address, remedy=remedy))
    if champion is not None and champion.number == challenger.number:
        return Promotion(challenger, champion, (), promoted=False)
    new = evaluated_pairs_of(challenger, registry.store)
    old = None if champion is None else evaluated_pairs_of(champion, registry.store)
    answers = tuple(promotion_checks(new, old, chosen.promotion))
    promoted = all(answer.good for answer in answers)
    if promoted:
        registry.promote(challenger)
    return Promotion(challenger, champion, answers, promoted)


def promotion_checks(
    challenger: pd.DataFrame, champion: pd.DataFrame | None, limits: PromotionSettings
) -> Sequence[PromotionCheck]:
    """Return the checks of a challenger on evaluated pairs, see `recsys.pipeline.evaluation_data`.

    champion: pairs of the champion, None when there is none yet. Both models learned before any pair
    they were evaluated on, so pairs that both were evaluated on are new to both.
    """
    return [_calibrated(challenger, limits), _not_worse(challenger, champion, limits)]


def evaluated_pairs_of(version: ModelVersion, store: MlflowStore) -> pd.DataFrame:
    """Return the pairs a version was last evaluated on; no rows when its night had none."""
    with store.errors_explained(), tempfile.TemporaryDirectory() as aside:
        files = {file.path for file in store.client.list_artifacts(version.evaluated_in)}
        if EVALUATED_PAIRS not in files:
            return pd.DataFrame(columns=[C.VIEWER, C.CANDIDATE, C.P_LIKE, C.P_MUTUAL, LIKED, MUTUAL])
        return read_evaluated_pairs(
            Path(store.client.download_artifacts(version.evaluated_in, EVALUATED_PAIRS, aside))
        )


def _calibrated(pairs: pd.DataFrame, limits: PromotionSettings) -> PromotionCheck:
    answered = pairs[pairs[LIKED].notna()]
    if not len(answered):
        return PromotionCheck(good=False, reason="not_evaluated")
    table = evaluate_probabilities(
        answered[C.VIEWER].to_numpy(object),
        answered[C.CANDIDATE].to_numpy(object),
        answered[LIKED].astype("int64"),
        answered[C.P_LIKE],
    )
    [error] = table[table["metric"] == "ece"].to_dict("records")
    text = f"{error['value']:.3f} ({error['lo']:.3f} – {error['hi']:.3f})"
    figures = {"ece": text, "most": f"{limits.most_ece:.3f}"}
    if error["value"] <= limits.most_ece:
        return PromotionCheck(good=True, reason="calibrated", figures=figures)
    return PromotionCheck(good=False, reason="not_calibrated", figures=figures)


def _not_worse(
    challenger: pd.DataFrame, champion: pd.DataFrame | None, limits: PromotionSettings
) -> PromotionCheck:
    if champion is None:
        return PromotionCheck(good=True, reason="no_champion")
    first, second = _known(challenger), _known(champion)
    mine, theirs = _shared(first, second)
    fewest = min(len(first), len(second))
    if fewest < limits.least_pairs:
        figures = {"pairs": f"{fewest:,}", "least": f"{limits.least_pairs:,}"}
        return PromotionCheck(good=False, reason="not_comparable", figures=figures)
    paired = len(mine) >= limits.least_pairs
    more = _more(mine, theirs) if paired else _more_apart(first, second)
    figures = {"more": f"{more.value:+.4f}", "lo": f"{more.lo:+.4f}", "hi": f"{more.hi:+.4f}"}
    figures |= {"metric": METRIC, "pairs": f"{len(mine):,}"}
    if not math.isfinite(more.hi):
        return PromotionCheck(good=False, reason="no_interval", figures={"metric": METRIC})
    good = more.hi >= 0.0
    reason = "not_worse" if good else "worse"
    return PromotionCheck(good=good, reason=reason if paired else f"{reason}_apart", figures=figures)


def _known(pairs: pd.DataFrame) -> pd.DataFrame:
    known = pairs.loc[pairs[MUTUAL].notna(), [C.VIEWER, C.CANDIDATE, C.P_MUTUAL, MUTUAL]]
    return known.rename(columns={MUTUAL: _LABEL}).astype({_LABEL: "int64"})


def _shared(mine: pd.DataFrame, theirs: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the pairs in both, in one order, with the first one's outcomes, which are newer."""
    keys = [C.VIEWER, C.CANDIDATE]
    both = mine.merge(theirs[[*keys, C.P_MUTUAL]], on=keys, suffixes=("", "_theirs"))
    other = both.assign(**{C.P_MUTUAL: both[f"{C.P_MUTUAL}_theirs"]})
    return both[mine.columns], other[mine.columns]


def _more(mine: pd.DataFrame, theirs: pd.DataFrame) -> Interval:
    """Return by how much the first lists exceed the second, over the same resamples of people."""
    lists = {CHALLENGER: as_lists(mine), CHAMPION: as_lists(theirs)}
    row = _measured(lists, mine, against=CHAMPION)
    return Interval(row["more"], row["more_lo"], row["more_hi"])


def _more_apart(mine: pd.DataFrame, theirs: pd.DataFrame) -> Interval:
    """Return by how much the first lists exceed random order more than the second, each on its own pairs.

    The two errors are taken as independent, which makes the interval wider than a paired one.
    """
    first, second = (_measured({CHALLENGER: as_lists(pairs)}, pairs) for pairs in (mine, theirs))
    value = (first["value"] - first["random"]) - (second["value"] - second["random"])
    below = math.hypot(first["value"] - first["lo"], second["hi"] - second["value"])
    above = math.hypot(first["hi"] - first["value"], second["value"] - second["lo"])
    return Interval(value, value - below, value + above)


def _measured(
    lists: Mapping[str, pd.DataFrame], truth: pd.DataFrame, *, against: str | None = None
) -> dict[str, float]:
    """Return the metric of the challenger's lists over everybody, with its interval."""
    labels = truth[[C.VIEWER, C.CANDIDATE, _LABEL]]
    table = compare(lists, labels, against=against, k=(PLACES,), probability="")
    chosen = (table["slice"] == EVERYBODY) & (table["model"] == CHALLENGER) & (table["metric"] == METRIC)
    [row] = table[chosen].drop(columns=["slice", "model", "metric", "of"]).to_dict("records")
    return {str(name): float(value) for name, value in row.items()}
