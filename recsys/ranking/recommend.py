"""Lists for people: mask, score, check again, explain."""

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
import structlog
from tqdm import tqdm

from recsys.constraints.policy import Policy
from recsys.errors import need_columns
from recsys.models.directed import Directed
from recsys.ranking.recommender import Recommender
from recsys.schema.columns import Columns as C
from recsys.schema.population import Population

DROPPED: Final = "dropped_by_recheck"
"""Key in `lists.attrs`: how many pairs the plain check took out; anything but 0 is a defect."""

_log = structlog.get_logger(__name__)


class Scorer(Protocol):
    """Anything that gives two matrices for people, such as a fitted model."""

    def directed(self, people: Population) -> Directed:
        """Return taste and appeal of `people`."""
        ...


def recommend(
    model: Scorer,
    people: Population,
    policy: Policy,
    viewers: str | int | Sequence[str] | npt.ArrayLike | pd.Series | None = None,
    k: int = 20,
    *,
    combiner: str = "product",
    exclude: pd.DataFrame | None = None,
    workers: int = 1,
    progress: bool = False,
) -> pd.DataFrame:
    """Return the best `k` people for each viewer among those who may be shown to them.

    One row a suggestion: viewer_id, candidate_id, rank (from 1), p_like, p_liked_back, p_mutual in
    [0, 1] and reasons (a list of codes for `recsys.explain.reasons.reason_text`). Viewers come in the
    order asked for, None is everybody listed; who is not listed has no rows. A list is as long as there
    are people to show, never padded.

    exclude: pairs (viewer_id, candidate_id) to leave out of these lists, such as those seen already;
    people who are not among `people` are passed over.

    After ranking, every pair is checked again with the plain form of `policy`, which shares no code
    with the compiled masks. A pair that fails is dropped, counted in `lists.attrs["dropped_by_recheck"]`
    and logged.

    Raises
    ------
    UnknownIdError
        When a viewer is not among `people`.
    InputError
        When a viewer is asked for twice, or the model is of other people.
    SettingsError
        For an impossible `k`, `combiner` or `workers`.

    Examples
    --------
    >>> import recsys
    >>> town = recsys.make_town(120, np.random.default_rng(7))
    >>> people, events = recsys.load_population(town.tables), recsys.load_events(town.tables)
    >>> model = recsys.PopularityModel().fit(people, events, rng=np.random.default_rng(7))
    >>> lists = recommend(model, people, Policy.default(), k=3)
    >>> lists.columns[:3].tolist(), bool((lists["rank"] <= 3).all())
    (['viewer_id', 'candidate_id', 'rank'], True)
    """
    asked = [viewers] if isinstance(viewers, str | int) else viewers
    rows = None if asked is None else people.ids.rows(np.asarray(asked, dtype=object))
    left_out = None if exclude is None else _pairs(exclude, people)
    maker = Recommender(model.directed(people), people, policy)
    n_listed = int(maker.compiled.listed.sum())
    if len(people) and not n_listed:
        remedy = "policy.compile(people).listed; for interactions without profiles use Interactions.policy"
        _log.warning("nobody may be listed under this policy", people=len(people), see=remedy)
    n_viewers = n_listed if rows is None else len(rows)
    with tqdm(total=n_viewers, desc="recommend", unit="people", disable=not progress) as bar:
        kept, dropped = maker.pairs(
            rows, k=k, combiner=combiner, exclude=left_out, workers=workers, progress=bar.update
        )
    frame = kept.frame(people, maker.reasons)
    frame.attrs[DROPPED] = dropped
    return frame


def _pairs(exclude: pd.DataFrame, people: Population) -> npt.NDArray[np.int32]:
    """Return the rows of the pairs in which both are known, `(n_pairs, 2)`."""
    need_columns((C.VIEWER, C.CANDIDATE), exclude.columns, where="exclude")
    pairs = np.column_stack([people.ids.find(exclude[column]) for column in (C.VIEWER, C.CANDIDATE)])
    return pairs[(pairs >= 0).all(axis=1)]
