"""What came of the lists of each night, as arrays over the rows of the town."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.history.companions import lasting_pairs
from recsys.history.events import Events
from recsys.schema.columns import Columns as C
from recsys.schema.ids import IdIndex
from recsys.simulation.directed import is_among

Rows = npt.NDArray[np.int64]


@dataclass(eq=False)
class Diary:
    """One policy's nights, written night by night.

    matches, lasting: `(n_pairs, 3)`: night (from 0), two rows; a lasting match is one in which both
    came to feel comfortable, however much later. sent: `(n_likes, 3)`: night, actor, target of
    likes from lists. received: `(n_nights, n_people)` likes from lists; exposure: `(n_people,)`
    expected looks; listed: `(n_people,)` nights on which each was listed. forbidden: pairs of lists
    that the plain rules do not allow; anything but 0 is a defect.
    """

    ids: IdIndex
    look_decay: float
    matches: list[Rows] = field(default_factory=list)
    lasting: list[Rows] = field(default_factory=list)
    sent: list[Rows] = field(default_factory=list)
    exposure: npt.NDArray[np.float64] = field(init=False)
    listed: Rows = field(init=False)
    forbidden: int = 0
    _liked: Rows = field(default_factory=lambda: np.empty(0, np.int64))

    def __post_init__(self) -> None:
        self.exposure = np.zeros(len(self.ids))
        self.listed = np.zeros(len(self.ids), np.int64)

    def write(self, listed: npt.ArrayLike, lists: pd.DataFrame, events: pd.DataFrame) -> None:
        """Add one night: the rows listed, the lists given, and all that came of them."""
        night = len(self.sent)
        self.listed[np.asarray(listed)] += 1
        looks = lists[C.RANK].to_numpy(np.float64) ** -self.look_decay
        np.add.at(self.exposure, self.ids.rows(lists[C.CANDIDATE]), looks)
        likes = events[events[C.TYPE] == "like"]
        pairs = self._rows(likes)
        self.sent.append(_dated(night, pairs[(likes[C.SURFACE] == "list").to_numpy(bool)]))
        self.matches.append(_dated(night, self._matched(pairs)))
        self.lasting.append(_dated(night, self._comfortable(events)))

    def knows_likes(self, events: pd.DataFrame) -> None:
        """Take note of likes made before the first night."""
        self._liked = np.unique(self._keys(self._rows(events[events[C.TYPE] == "like"])))

    def _matched(self, pairs: Rows) -> Rows:
        """Return the unordered pairs whose second like is among these likes."""
        keys = self._keys(pairs)
        self._liked = np.union1d(self._liked, keys)
        mutual = pairs[is_among(self._keys(pairs[:, ::-1]), self._liked)]
        return np.unique(np.sort(mutual, axis=1), axis=0)

    def _comfortable(self, events: pd.DataFrame) -> Rows:
        deeds = events[events[C.TYPE].isin(["feeling_check", "meet_feedback", "end", "block", "report"])]
        coded = Events.of(deeds).coded
        pairs = self.ids.rows(coded.people[lasting_pairs(coded)].reshape(-1)).reshape(-1, 2)
        return np.sort(pairs.astype(np.int64), axis=1)

    def _rows(self, events: pd.DataFrame) -> Rows:
        columns = [self.ids.find(events[c]).astype(np.int64) for c in (C.ACTOR, C.TARGET)]
        pairs = np.column_stack(columns)
        return pairs[(pairs >= 0).all(axis=1)]

    def _keys(self, pairs: Rows) -> Rows:
        return pairs[:, 0] * len(self.ids) + pairs[:, 1]


def _dated(night: int, pairs: Rows) -> Rows:
    return np.column_stack([np.full(len(pairs), night), pairs]).astype(np.int64)
