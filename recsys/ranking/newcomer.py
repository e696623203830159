"""One person the publication does not know, folded in and searched for in the same call.

Plain numpy over the mapped arrays, by the rules of `Plan`: newcomers are few, so this is written to be read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.errors import InputError, RecsysError, explained
from recsys.explain.reasons import Reasons
from recsys.history.events import Events
from recsys.history.labels import LABEL, directed_labels
from recsys.history.separations import relations
from recsys.models.directed import sigmoid
from recsys.models.fold_in import Evidence, fold_in_answers
from recsys.models.reciprocal import combine
from recsys.ranking.newcomer_files import NewcomerFiles, padded
from recsys.ranking.served import Served
from recsys.schema.columns import Columns as C
from recsys.schema.ids import IdIndex
from recsys.schema.population import Population

Profile = Population | Mapping[str, pd.DataFrame]
Rows = npt.NDArray[np.int32]

_BY_CODE: Final = ("interest", "listens", "answer")


def one_person(user_id: str, profile: Profile) -> Population:
    """Return the person of a profile: a population of one, or tables as a night reads them.

    Raises InputError, which tells nothing of what the profile says, when it cannot be used.
    """
    from recsys.storage.load import load_population

    try:
        people = profile if isinstance(profile, Population) else load_population(profile)
    except (RecsysError, ValueError, TypeError, KeyError, AttributeError) as error:
        what = explained("the profile cannot be used", got=type(error).__name__, remedy="see docs/data.md")
        raise InputError(what) from None
    if len(people) != 1 or people.ids.ids([0])[0] != user_id:
        raise InputError(
            explained("a profile is of the one person who is asked for", got=f"{len(people)} people")
        )
    return people


@dataclass(frozen=True, eq=False)
class Newcomer:
    """A person beside a publication: their matrices, and whom they may be shown.

    taste, appeal: `(n_factors,)` float64; allowed: `(n_people,)` bool; near: `(n_people,)` logits.
    """

    person: Population
    taste: npt.NDArray[np.float64]
    appeal: npt.NDArray[np.float64]
    allowed: npt.NDArray[np.bool_]
    near: npt.NDArray[np.float64]

    @classmethod
    def of(
        cls, served: Served, files: NewcomerFiles, person: Population, events: Events | None
    ) -> "Newcomer":
        """Fold a person in from the profile, and from what they did so far when there is anything."""
        layout, plan = served.live.layout, files.plan
        allowed = plan.may_show(files.policy, person) & (layout.position >= 0)
        for question, accepted in plan.unseen_questions(person):
            allowed &= served.answered(question, accepted)
        near = np.zeros(len(allowed))
        if files.nearness is not None:
            near = files.nearness.matrix(person.cells, plan.cells)[0].astype(np.float64)[plan.cell]
        directed, width = files.model.directed(person), layout.people.taste.shape[1]
        taste, appeal = padded(directed.taste, width), padded(directed.appeal, width)
        if events is not None and len(events):
            allowed &= ~_done_with(served, person, events)
            taste = _after(served, person, events, taste, near)
        return cls(person, taste, appeal, allowed, near)

    def best(self, served: Served) -> Rows:
        """Return the rows of everybody who may be shown, best first: score from high to low, then row."""
        live, rows = served.live, np.flatnonzero(self.allowed).astype(np.int32)
        at, people = live.layout.position[rows], live.layout.people
        like = sigmoid(people.appeal[at].astype(np.float64) @ self.taste + self.near[rows])
        back = sigmoid(people.taste[at].astype(np.float64) @ self.appeal + self.near[rows])
        value = combine(like, back, live.combiner)
        if len(live.prices):
            value -= like * live.prices[at]
        return rows[np.lexsort((rows, -value))]

    def reason_codes(self, served: Served, rows: Rows) -> list[list[str]]:
        """Return why each of `rows` is shown to the newcomer; circles and nearness wait a night."""
        mine, theirs = Reasons(self.person), served.reasons
        codes, own = theirs.codes_by_kind(), mine.codes_by_kind()
        held, said = theirs.arrays(), mine.arrays()
        arrays: dict[str, npt.NDArray[Any]] = {
            name: np.vstack([_aligned(said[name], own[kind], codes[kind]), held[name][rows]])
            for name in held
            if (kind := name.partition(".")[0]) in _BY_CODE
        }
        n = len(rows) + 1
        arrays |= {
            "circle.member": np.zeros(0, np.int32),
            "circle.circles": np.zeros(0, np.int32),
            "circle.starts": np.zeros(n + 1, np.int32),
            "circle.n_circles": np.ones(1, np.int64),
            "near.cell": np.zeros(n, np.int32),
            "near.centre": np.zeros((1, 3)),
            "near.meets": np.zeros(n, bool),
        }
        both = Reasons.from_arrays(arrays, codes)
        return both.codes(np.zeros(len(rows), np.int32), np.arange(1, n, dtype=np.int32))


def _aligned(values: npt.NDArray[Any], own: list[str], codes: list[str]) -> npt.NDArray[Any]:
    found = np.zeros((1, len(codes)), values.dtype)
    place = {code: at for at, code in enumerate(codes)}
    for at, code in enumerate(own):
        if code in place:
            found[0, place[code]] = values[0, at]
    return found


def _done_with(served: Served, person: Population, events: Events) -> npt.NDArray[np.bool_]:
    """Say whom the newcomer's own events keep apart from them, or they liked already, `(n_people,)` bool."""
    me = person.ids.ids([0])[0]
    named = pd.concat([events.frame[C.ACTOR], events.frame[C.TARGET]]).dropna()
    ids = IdIndex({*named.tolist(), me})
    found, row = relations(events, None, None, ids, person.as_of), ids.row(me)
    apart = found.separated[(found.separated == row).any(axis=1)]
    liked = found.liked[found.liked[:, 0] == row]
    both = np.concatenate([apart.ravel(), liked.ravel()])
    others = ids.ids(np.unique(both[both != row])).tolist()
    done = np.zeros(len(served.ids), bool)
    rows = np.array(served.ids.find(others), np.int64)
    done[rows[rows >= 0]] = True
    return done


def _after(
    served: Served,
    person: Population,
    events: Events,
    taste: npt.NDArray[np.float64],
    near: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Return the taste after the newcomer's answers so far: a posterior mode around the profile's taste.

    The prior allows logits to move by about one on an average person.
    """
    decided = directed_labels(events.until(person.as_of))
    decided = decided[(decided[C.VIEWER] == person.ids.ids([0])[0]) & decided[LABEL].notna()]
    rows = np.array(served.ids.find(decided[C.CANDIDATE]), np.int64)
    listed = np.array([served.live.is_listed(int(row)) for row in rows], bool)
    if not listed.any():
        return taste
    rows, labels = rows[listed], decided[LABEL].to_numpy(np.float64)[listed]
    appeal = served.live.layout.people.appeal[served.live.layout.position[rows]].astype(np.float64)
    evidence = Evidence.of(1, np.zeros(len(rows), np.int64), np.arange(len(rows)))
    moved = fold_in_answers(
        taste[None, :],
        evidence,
        appeal,
        labels=labels,
        weights=np.ones(len(rows)),
        offset=near[rows],
        strength=float(np.square(appeal).sum(axis=1).mean()),
    )
    return np.asarray(moved[0], np.float64)
