"""The shape of models that learn from behaviour, with or without content beneath."""

import itertools
import math
from collections.abc import Mapping
from copy import copy
from dataclasses import fields, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from numpy.random import Generator

from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.data.ids import IdIndex, packed_strings, unpacked_strings
from recsys.data.population import Population
from recsys.models.als import BehaviourConfig
from recsys.models.base import Arrays, Meta, Model
from recsys.models.calibration import Platt
from recsys.models.directed import Directed, sigmoid
from recsys.models.explanation import FACTORS, LEVEL, PERSONAL, POPULARITY, SELECTIVITY, PairParts, Part
from recsys.models.factor_space import Shifts, Standard
from recsys.models.impressions import Looks
from recsys.models.negative_sampling import only_likes, with_sampled_negatives
from recsys.models.person_parameters import BELIEFS, Base, Spaces, State
from recsys.models.reciprocal import USUAL_ASSOCIATION, Joint, Replies, fit_joint
from recsys.models.stacking import PARTS, Parts, Stacker, fit_stacker, known, stacked
from recsys.models.training_data import Heard, Lesson
from recsys.types import BoolArray, Float64Array, Int32Array

_FOLDS = 1000
_LEAST_HELD_OUT = 50
_MOST_HELD_OUT = 400_000
"""Looks enough to learn two dozen weights to the third digit; the others are better learned from."""
_ENOUGH_HELD_OUT = 100_000
"""Looks that are wanted: fewer people leave one part out after another until there are so many."""
_WORTH_SPLITTING = 5_000
"""Looks below which one part is left out and no second."""
_SAID = ("labels", "chances")
_PEOPLE_AT_ONCE = 16_384
_LEAST_CHANCE = 1e-9


class BehaviourModel(Model):
    """Selectivity, popularity and factors, each a posterior mode around what content says, stacked.

    Subclasses say what lies beneath: `_lesson`, `_content_learned` and `_content_again`; nothing by default.

    After `fit`: `base_` is what all people taught together, `state_` what is particular to each,
    `stacker_` the weights of the parts.
    """

    config: BehaviourConfig

    def __init__(self, config: BehaviourConfig | None = None) -> None:
        super().__init__(config)
        self._content_last: tuple[Population, Directed] | None = None

    def _lesson(self, people: Population, events: Events) -> Lesson | None:  # noqa: ARG002
        return None

    def _content_learned(self, people: Population, lesson: Lesson, rng: Generator) -> Model | None:  # noqa: ARG002
        return None

    def _content_again(self, people: Population, lesson: Lesson, rng: Generator) -> Model | None:  # noqa: ARG002
        """Fit content once more, on fewer pairs, with the choices already made."""
        return None

    def lesson(self, people: Population, events: Events) -> Heard:
        """Return everything `people` and the `events` between them teach."""
        known = events.until(people.as_of)
        return Heard(Looks.from_events(people, known), self._lesson(people, known))

    def taught(self, people: Population, lesson: Heard, *, rng: Generator) -> Self:
        """Learn from a lesson about `people` and return self; `fit` is this with a lesson of its own."""
        self.unseen_seed_ = int(rng.integers(2**31 - 1)) if only_likes(lesson.looks) else None
        looks, answers = self._with_unseen(lesson.looks), lesson.content
        self.content_ = None if answers is None else self._content_learned(people, answers, rng)
        content = None if self.content_ is None else self.content_.fitted
        self._content_last = None if content is None else (people, content)
        self.base_ = Base.learned(people, content, looks, self.config, rng)
        self.stacker_, self.joint_ = self._stacked(people, answers, looks, rng)
        self._fold_in(people, looks)
        self._fitted, self._people = self._apply(people), people
        self._content_last = None
        return self

    def _learn(self, people: Population, events: Events, rng: Generator) -> None:
        self.taught(people, self.lesson(people, events), rng=rng)

    def _stacked(
        self, people: Population, lesson: Lesson | None, looks: Looks, rng: Generator
    ) -> tuple[Stacker, Joint]:
        """Return weights and joint correction, from pairs nothing else has seen if there are enough."""
        level, slope = self.base_.level, self.base_.line.slope
        usual = Joint(USUAL_ASSOCIATION if self.unseen_seed_ is None else 0.0)
        fold, share, n_splits = looks.pair_folds(_FOLDS, rng), *_held_out(len(looks), self.config.held_out)
        ends = [round(share * _FOLDS * split) for split in range(n_splits + 1)]
        splits = [(fold >= first) & (fold < last) for first, last in itertools.pairwise(ends)]
        if not self.config.stack or min(map(np.sum, splits)) < _LEAST_HELD_OUT or splits[0].all():
            return replace(Stacker.usual().of_content(level, slope), asked=self.base_.asked), usual
        heard = [looks.take(held) for held in splits]
        parts = [
            self._held_parts(people, lesson, looks, held, rng, last=held is splits[-1]) for held in splits
        ]
        for _ in range(BELIEFS):
            labels, chances = (np.concatenate([getattr(one, name) for one in heard]) for name in _SAID)
            learned = fit_stacker(Parts.joined(parts), labels, chances)
            told = zip(heard, parts, strict=True)
            heard = [one.believed(sigmoid(stacked(learned, part))) for one, part in told]
        replies = [
            Replies.among(one, sigmoid(stacked(learned, part)))
            for one, part in zip(heard, parts, strict=True)
        ]
        joint = usual if self.unseen_seed_ is not None else fit_joint(Replies.joined(replies))
        return learned.of_content(level, slope), joint

    def _held_parts(
        self,
        people: Population,
        lesson: Lesson | None,
        looks: Looks,
        held: BoolArray,
        rng: Generator,
        *,
        last: bool,
    ) -> Parts:
        """Return the parts of held-out looks, from a fit of everything else to the others.

        last: nothing is learned from the lesson again.
        """
        seen, unseen = looks.take(~held), looks.take(held)
        model = None if lesson is None else self._content_again(people, lesson.without(unseen), rng)
        if last and lesson is not None:
            lesson.forget_rows()
        content = None if model is None else model.fitted
        base = Base.learned(people, content, seen, self.config, rng)
        spaces = base.spaces(people, content)
        return State.found(base, spaces, content, seen).parts(base, spaces, content, unseen)

    def _with_unseen(self, looks: Looks) -> Looks:
        """Return the looks with the passes of the fit, if it had to draw some; see `unseen`."""
        if self.unseen_seed_ is None:
            return looks
        return with_sampled_negatives(looks, self.config.unseen, np.random.default_rng(self.unseen_seed_))

    def _content_of(self, people: Population) -> Directed | None:
        """Return what content says of people; the last ones asked about during a fit are remembered."""
        if self.content_ is None:
            return None
        if self._content_last is None or self._content_last[0] is not people:
            return self.content_.directed(people)
        return self._content_last[1]

    def _fold_in(self, people: Population, looks: Looks) -> None:
        content = self._content_of(people)
        spaces = self.base_.spaces(people, content)
        self.ids_: npt.NDArray[np.object_] = people.ids.ids(np.arange(len(people)))
        self.state_ = State.found(self.base_, spaces, content, looks)

    def score_pairs(
        self, pairs: pd.DataFrame, *, people: Population | None = None, combiner: str = "product"
    ) -> pd.DataFrame:
        """Return what every model returns; `combiner="joint"` applies the joint correction.

        Then p_mutual is the calibrated P(both say yes): what answers do not show is partly shared by
        both, so people agree beyond the product of their probabilities; see `Joint`.
        """
        if combiner != "joint":
            return super().score_pairs(pairs, people=people, combiner=combiner)
        scored = super().score_pairs(pairs, people=people)
        p, q = (scored[column].to_numpy(np.float64) for column in (C.P_LIKE, C.P_LIKED_BACK))
        return scored.assign(**{C.P_MUTUAL: self.joint_.both(p, q)})

    def p_answer(self, p_like: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return P(viewer says yes | the candidate liked them before, and the viewer answers), `[0, 1]`.

        p_like: of `score_pairs`, any shape. Being liked flatters, and who is not interested mostly does
        not answer, so p_answer lies above it. How far, in logits, is learned once for everybody, on
        answers left out; nothing where nobody answers a like as from an inbox.
        """
        p = np.clip(np.asarray(p_like, np.float64), _LEAST_CHANCE, 1.0 - _LEAST_CHANCE)
        return sigmoid(np.log(p) - np.log1p(-p) + self.stacker_.asked)

    def for_newcomers(self) -> Self:
        """Return the model without anything about the people of the fit, to be applied to others."""
        model, nobody = copy(self), np.empty(0, np.int64)
        base, ids = self.base_, np.empty(0, dtype=object)
        shifts = {name: getattr(base, name).at(nobody) for name in ("personal_bases", "factor_bases")}
        model.base_ = Base(**{**vars(base), "ids": ids, **shifts})
        model.ids_, model.state_ = ids, self.state_.at(nobody)
        if self.content_ is not None:
            model.content_, model._content_last = self.content_.for_newcomers(), None
        model._people = None
        model._fitted = model._apply(Population.of_ids(ids, as_of="1970-01-01"))
        return model

    def updated(self, people: Population, events: Events) -> Self:
        """Return the model after more happened: everybody is folded in again, nothing is refitted.

        people may hold newcomers. events: the whole history up to `people.as_of`, so that whoever
        was separated since leaves no trace. With the people and events of the fit, the same model.
        Raises NotFittedError before `fit`.
        """
        model = copy(self)
        model._fitted = self.fitted
        model._fold_in(people, self._with_unseen(Looks.from_events(people, events.until(people.as_of))))
        model._fitted, model._people = model._apply(people), people
        return model

    def _apply(self, people: Population) -> Directed:
        content = self._content_of(people)
        spaces = self.base_.spaces(people, content)
        state = self.state_.at(IdIndex(self.ids_).find(people.ids.values))
        return _matrices(people, content, spaces, state, self.stacker_)

    @property
    def _reads_answers(self) -> bool:
        return self.content_ is not None

    def _pair_parts(self, pair: Population, i: Int32Array, j: Int32Array) -> PairParts:
        content = None if self.content_ is None else self.content_.directed(pair)
        spaces, stacker = self.base_.spaces(pair, content), self.stacker_
        state = self.state_.at(IdIndex(self.ids_).find(pair.ids.values))
        given, received = known(state.given)[i], known(state.received)[j]
        weight = [stacker.row(part, given) * stacker.column(part, received) for part in range(len(PARTS))]
        parts: dict[Part, Float64Array] = {LEVEL: np.full(len(i), stacker.intercept)}
        if self.content_ is not None:
            for part, values in self.content_._pair_parts(pair, i, j).items():
                parts[part] = parts.get(part, np.zeros(len(i))) + weight[0] * values
        own, moved = spaces.personal, state.personal
        there = own.score(own.taste + moved.taste, own.appeal + moved.appeal, i, j)
        parts[PERSONAL] = weight[1] * (there - own.score(own.taste, own.appeal, i, j))
        own, moved = spaces.factors, state.factors
        parts[FACTORS] = weight[2] * own.score(own.taste + moved.taste, own.appeal + moved.appeal, i, j)
        parts[SELECTIVITY] = stacker.row(len(PARTS), given) * state.generosity[i]
        parts[POPULARITY] = stacker.row(len(PARTS) + 1, received) * state.popularity[j]
        return parts

    def _arrays(self) -> tuple[Arrays, Meta]:
        base, state, stacker = self.base_, self.state_, self.stacker_
        arrays: Arrays = {}
        for name, ids in (("base", base.ids), ("state", self.ids_)):
            arrays[f"{name}.ids_text"], arrays[f"{name}.ids_ends"] = packed_strings(ids)
        for name, standard in (("personal", base.personal), ("standard", base.standard)):
            arrays |= {f"{name}.{field.name}": getattr(standard, field.name) for field in fields(standard)}
        for name, pair in (("maps", base.maps), ("ridge", base.ridge)):
            arrays |= {f"{name}.taste": pair[0], f"{name}.appeal": pair[1]}
        for name, shifts in _shifts(base, state).items():
            arrays |= {f"{name}.taste": shifts.taste, f"{name}.appeal": shifts.appeal}
        for name in _NUMBERS:
            arrays[f"state.{name}"] = getattr(state, name)
        arrays |= {
            "stacker.rows": stacker.rows,
            "stacker.columns": stacker.columns,
        }
        learned: Meta = {
            "line": [base.line.slope, base.line.intercept],
            "asked": base.asked,
            "intercept": base.intercept,
            "variances": list(base.variances),
            "joint": self.joint_.association,
            "unseen_seed": self.unseen_seed_,
            "stacker": [stacker.intercept, stacker.near, stacker.asked],
            "content": None,
        }
        if self.content_ is not None:
            own, learned["content"] = self.content_._arrays()
            arrays |= {f"content.{name}": array for name, array in own.items()}
        return arrays, learned

    def _content_restored(self, arrays: Arrays, meta: Meta) -> Model | None:  # noqa: ARG002
        return None

    def _restore(self, arrays: Mapping[str, npt.NDArray[Any]], meta: Mapping[str, Any]) -> None:
        def shifts(name: str) -> Shifts:
            return Shifts(arrays[f"{name}.taste"], arrays[f"{name}.appeal"])

        def standard(name: str) -> Standard:
            return Standard(**{field.name: arrays[f"{name}.{field.name}"] for field in fields(Standard)})

        def ids(name: str) -> npt.NDArray[np.object_]:
            return np.asarray(
                unpacked_strings(arrays[f"{name}.ids_text"], arrays[f"{name}.ids_ends"]), object
            )

        self.base_ = Base(
            config=self.config,
            ids=ids("base"),
            line=Platt(*meta["line"]),
            asked=meta["asked"],
            intercept=meta["intercept"],
            variances=tuple(meta["variances"]),
            maps=(arrays["maps.taste"], arrays["maps.appeal"]),
            personal=standard("personal"),
            standard=standard("standard"),
            ridge=(arrays["ridge.taste"], arrays["ridge.appeal"]),
            personal_bases=shifts("base_personal"),
            factor_bases=shifts("base_factors"),
        )
        self.ids_ = ids("state")
        numbers = {name: arrays[f"state.{name}"] for name in _NUMBERS}
        self.state_ = State(**numbers, personal=shifts("state_personal"), factors=shifts("state_factors"))
        intercept, near, asked = meta["stacker"]
        own = {name: arrays[f"stacker.{name}"] for name in ("rows", "columns")}
        self.stacker_ = Stacker(intercept=intercept, near=near, asked=asked, **own)
        self.joint_ = Joint(meta["joint"])
        self.unseen_seed_ = meta["unseen_seed"]
        own = {name[8:]: array for name, array in arrays.items() if name.startswith("content.")}
        self.content_ = None if meta["content"] is None else self._content_restored(own, meta["content"])


_NUMBERS = ("generosity", "popularity", "given", "received")


def _shifts(base: Base, state: State) -> dict[str, Shifts]:
    return {
        "base_personal": base.personal_bases,
        "base_factors": base.factor_bases,
        "state_personal": state.personal,
        "state_factors": state.factors,
    }


def _held_out(n_looks: int, share: float) -> tuple[float, int]:
    """Return the share of pairs to leave out at a time, and how many times."""
    share = min(share, _MOST_HELD_OUT / max(n_looks, 1))
    if n_looks < _WORTH_SPLITTING:
        return share, 1
    return share, min(math.ceil(_ENOUGH_HELD_OUT / (share * n_looks)), max(int(1.0 / share), 1))


def _matrices(
    people: Population, content: Directed | None, spaces: Spaces, state: State, stacker: Stacker
) -> Directed:
    """Return taste and appeal: the parts side by side, each scaled by how well a person is known."""
    n_columns = 2 + 2 * spaces.personal.taste.shape[1] + spaces.factors.taste.shape[1]
    n_columns += 0 if content is None else content.n_factors
    taste, appeal = (np.empty((len(people), n_columns), np.float32) for _ in range(2))
    for start in range(0, len(people), _PEOPLE_AT_ONCE):
        some = slice(start, start + _PEOPLE_AT_ONCE)
        taste[some], appeal[some] = _side_by_side(some, content, spaces, state, stacker)
    near = None if content is None or content.nearness is None else content.nearness.scaled(stacker.near)
    return Directed.of(people.ids, taste=taste, appeal=appeal, nearness=near, cell=people.cells)


def _side_by_side(
    some: slice, content: Directed | None, spaces: Spaces, state: State, stacker: Stacker
) -> tuple[Float64Array, Float64Array]:
    """Return the rows of some people in full precision, which takes several times the room of the result."""
    given, received = known(state.given[some]), known(state.received[some])
    personal, factors = spaces.personal, spaces.factors
    own_taste, own_appeal = personal.taste[some], personal.appeal[some]
    moved_taste = own_taste + state.personal.taste[some]
    moved = np.hstack([moved_taste * personal.scale, -own_taste * personal.scale])
    to_moved = np.hstack([own_appeal + state.personal.appeal[some], own_appeal])
    rows = [moved, (factors.taste[some] + state.factors.taste[some]) * factors.scale]
    columns = [to_moved, factors.appeal[some] + state.factors.appeal[some]]
    first = 1
    if content is not None:
        rows.insert(0, content.taste[some].astype(np.float64))
        columns.insert(0, content.appeal[some].astype(np.float64))
        first = 0
    taste = [row * stacker.row(part, given)[:, None] for part, row in enumerate(rows, first)]
    appeal = [column * stacker.column(part, received)[:, None] for part, column in enumerate(columns, first)]
    ones = np.ones((len(given), 1))
    n_parts = len(stacker.columns)
    generosity = stacker.intercept + stacker.row(n_parts, given) * state.generosity[some]
    popularity = stacker.row(n_parts + 1, received) * state.popularity[some]
    return (
        np.hstack([*taste, generosity[:, None], ones]),
        np.hstack([*appeal, ones, popularity[:, None]]),
    )
