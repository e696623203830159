"""Cold start: somebody the publication does not know is folded in from a profile and searched for.

A publication keeps the vocabulary of the compiled rules and a model that scores people it never saw.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass, replace
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NamedTuple, Self
from zlib import crc32

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.catalogue.preference_words import WISHES
from recsys.constraints.base import Constraint
from recsys.constraints.cold_start import ColdStartVocabulary
from recsys.constraints.plugin import is_own, plugin_constraint
from recsys.constraints.policy import Policy
from recsys.data.absent_accounts import LASTING
from recsys.data.events import Events
from recsys.data.exclusions import EXCLUSION_REASONS, relations
from recsys.data.ids import IdIndex
from recsys.data.population import Population
from recsys.data.single_person import population_of_one
from recsys.errors import InputError, PublicationError, RecsysError, explained
from recsys.messaging.reasons import Reasons
from recsys.models.base import Model
from recsys.models.distance_decay import DistanceDecay
from recsys.plugins import plugins
from recsys.ranking.profile_tables import Profile, problems_of
from recsys.ranking.score_bins import order_by_lot
from recsys.ranking.snapshot import Snapshot
from recsys.ranking.taste_by_day import taste_of_newcomer
from recsys.retrieval.external_query import ExternalQuery
from recsys.safety.canonical import CLOCKS_APART
from recsys.storage.dataclass_codec import load_dataclass, save_dataclass
from recsys.storage.manifest import Manifest, verify_files
from recsys.storage.publication import NEWCOMERS
from recsys.types import BoolArray, Int32Array

_MODELS: Final[Mapping[str, tuple[str, str]]] = {
    "content": ("recsys.models.content", "ContentModel"),
    "hybrid": ("recsys.models.hybrid", "HybridModel"),
}
"""Models that score people they have never seen."""


@dataclass(frozen=True, eq=False)
class StoredColdStart:
    """What a publication keeps beside the model.

    policy: the settings of its default rules, None when they were others; plugins: the settings of each rule
    from outside, None for one whose settings are no plain values.
    """

    vocabulary: ColdStartVocabulary
    model: str
    policy: dict[str, Any] | None
    plugins: dict[str, Any]
    distance_decay: DistanceDecay | None


@dataclass(frozen=True, eq=False)
class NewcomerParts:
    """What folding in one more person needs, to be written: the model without anybody, and the rest."""

    stored: StoredColdStart
    model: Model

    @classmethod
    def of(
        cls, people: Population, policy: Policy, model: Model, vocabulary: ColdStartVocabulary | None = None
    ) -> Self | None:
        """Make it; None for a model that cannot score people it never saw.

        vocabulary: as `vocabulary_for` makes it, where it was made before the model took memory.
        """
        if model.name not in _MODELS:
            return None
        light = model.without_people()
        return cls(_stored(people, policy, light, vocabulary), light)

    def write(self, folder: Path) -> None:
        """Write it for `NewcomerFiles`."""
        save_dataclass(folder, self.stored)
        self.model.save(folder / "model")


def vocabulary_for(model: str, people: Population, policy: Policy) -> ColdStartVocabulary | None:
    """Return the vocabulary of `NewcomerParts` for a model of that name, None where it has none."""
    return ColdStartVocabulary.of(policy, people, policy.compile(people)) if model in _MODELS else None


def _stored(
    people: Population, policy: Policy, light: Model, vocabulary: ColdStartVocabulary | None
) -> StoredColdStart:
    own = Policy(tuple(one for one in policy.constraints if is_own(one)))
    settings = next((s for s in _settings() if Policy.default(**s).version == own.version), None)
    from_plugins = [one for one in policy.constraints if not is_own(one)]
    return StoredColdStart(
        vocabulary=vocabulary or ColdStartVocabulary.of(policy, people, policy.compile(people)),
        model=light.name,
        policy=settings,
        plugins={one.name: _options(one) for one in from_plugins},
        distance_decay=light.fitted.distance_decay,
    )


def _options(constraint: Constraint) -> dict[str, Any] | None:
    """Return the settings of a rule from outside; None when they are no plain values."""
    options: dict[str, Any] = asdict(constraint) if is_dataclass(constraint) else {}
    try:
        again: Any = json.loads(json.dumps(options))
    except TypeError:
        return None
    return options if again == options else None


def _rules(settings: Mapping[str, Any] | None, plugin_constraints: Mapping[str, Any]) -> Policy | None:
    """Return the rules a publication was made with, when settings and plugins alone make them."""
    if not settings or any(
        options is None or name not in plugins("constraints") for name, options in plugin_constraints.items()
    ):
        return None
    policy = Policy.default(**settings)
    for name, options in plugin_constraints.items():
        policy &= plugin_constraint(name, options)
    return policy


def _settings() -> list[dict[str, Any]]:
    tiers, same = ("age", "id", "id_liveness"), (True, False)
    return [{"verification": tier, "same_employer": employer} for tier in tiers for employer in same]


@dataclass(frozen=True, eq=False)
class NewcomerFiles:
    """The same, opened: the vocabulary, the rules it was compiled from, the model, and its distance decay."""

    vocabulary: ColdStartVocabulary
    policy: Policy
    model: Model
    distance_decay: DistanceDecay | None

    @classmethod
    def open(cls, run: Path, manifest: Manifest, policy: Policy | None) -> Self:
        """Verify and map what was written; a policy that is not a default one has to be given.

        Raises PublicationError when there is nothing, or it is damaged.
        """
        if f"{NEWCOMERS}/arrays.json" not in manifest.files:
            remedy = "publish a content or hybrid model"
            raise PublicationError(explained("this publication folds nobody in", remedy=remedy))
        verify_files(run, manifest, under=f"{NEWCOMERS}/")
        stored = load_dataclass(StoredColdStart, run / NEWCOMERS, mmap="c", verify=False)
        rules = policy or _rules(stored.policy, stored.plugins)
        if rules is None or rules.version != manifest.made_from.policy:
            raise PublicationError(
                explained("the rules of this publication are not known", remedy="give policy=")
            )
        module, name = _MODELS[stored.model]
        model = getattr(import_module(module), name).load(run / NEWCOMERS / "model")
        return cls(stored.vocabulary, rules, model, stored.distance_decay)


def padded(factors: Any, width: int) -> Any:
    """Return one row of factors in float64, padded with zeros to `width`.

    Raises PublicationError when it is longer than that.

    >>> padded(np.ones((1, 2), np.float32), 3).tolist()
    [1.0, 1.0, 0.0]
    """
    row = np.asarray(factors, np.float64)[0]
    if len(row) > width:
        raise PublicationError(explained("the model has other factors than the publication", got=len(row)))
    return np.concatenate([row, np.zeros(width - len(row))])


def one_person(user_id: str, profile: Profile, catalogue: Catalogue) -> Population:
    """Return the person of a profile: a population of one, or tables as a night reads them.

    catalogue: the one of the publication; tables are read with it, rows that are not due yet only as far as
    they restrict.

    Raises InputError, which tells nothing of what the profile says, when it cannot be used.
    """
    from recsys.storage.load import load_sorted, population_of

    try:
        if isinstance(profile, Population):
            people = profile
        else:
            plain = population_of_one(profile.columns, catalogue, CLOCKS_APART)
            people = plain or population_of(
                load_sorted(profile.frames, profile.as_of, catalogue=catalogue, tolerance=CLOCKS_APART)
            )
    except (RecsysError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise _unusable(profile, type(error).__name__, catalogue) from None
    if not isinstance(profile, Population):
        if not len(people):
            raise _unusable(profile, "0 people", catalogue)
        if T.BOUNDARIES in profile.given and len(people) == 1 and not people.has_boundaries[0]:
            # refused: nobody could be shown, and nothing said why
            raise _unusable(profile, "no boundaries", catalogue)
    if any(people.catalogue.vocabulary(one) != catalogue.vocabulary(one) for one in WISHES):
        raise InputError(
            explained("a profile with other words than the publication", remedy="read it with its catalogue")
        )
    if len(people) != 1 or people.ids.ids([0])[0] != user_id:
        raise InputError(
            explained("a profile is of the one person who is asked for", got=f"{len(people)} people")
        )
    return people


def _unusable(profile: Profile, got: str, catalogue: Catalogue) -> InputError:
    """Return the error of a profile of which no person can be made: its columns are named, no value is."""
    told = "" if isinstance(profile, Population) else problems_of(profile, catalogue)
    remedy = "see docs/reference/tables.md"
    return InputError(explained("the profile cannot be used", where=told, got=got, remedy=remedy))


_SEPARATING: Final = (T.BLOCKS, T.REPORTS)


def separated_in(user_id: str, profile: Profile) -> frozenset[str]:
    """Return from whom the blocks and reports of a profile's own tables keep somebody apart.

    A row that was refused counts as far as its two ids could be read; so does one of a later time.
    """
    from recsys.storage.load import load_tables

    if isinstance(profile, Population) or not any(name in profile.given for name in _SEPARATING):
        return frozenset()
    frames = profile.frames
    tables = load_tables({name: frames[name] for name in (T.PROFILES, *_SEPARATING) if name in frames})
    pairs = set(tables.restrictions.pairs)
    for name in _SEPARATING:
        rows = tables.accepted.get(name)
        if rows is not None:
            pairs.update(zip(rows[C.ACTOR], rows[C.TARGET], strict=True))
    return frozenset(one for pair in pairs if user_id in pair for one in pair if one != user_id)


@dataclass(frozen=True, eq=False)
class Newcomer:
    """A person beside a publication: the query for their list, and rows that are left out of it.

    excluded: `(n_people,)` bool.
    """

    person: Population
    query: ExternalQuery
    excluded: BoolArray

    @classmethod
    def of(
        cls,
        snapshot: Snapshot,
        files: NewcomerFiles,
        person: Population,
        events: Events | None,
        separated: Iterable[str] = (),
    ) -> "Newcomer":
        """Fold a person in from the profile, and from what they did so far when there is anything.

        separated: ids of whom their own tables keep them apart, see `separated_in`.
        """
        layout, vocabulary, policy = snapshot.live.layout, files.vocabulary, files.policy
        compiled = vocabulary.compile(policy, person)
        excluded = np.zeros(len(snapshot.ids), bool)
        excluded[vocabulary.rows_met_by_token(policy, person)] = True
        rows = np.array(snapshot.ids.find(separated), np.int64)
        excluded[rows[rows >= 0]] = True
        excluded[layout.position < 0] = True
        for question, accepted in vocabulary.unseen_questions(person):
            excluded |= ~snapshot.answered(question, accepted)
        near = np.zeros(len(layout.people.near), np.float32)
        if files.distance_decay is not None:
            places = np.zeros(len(near), np.uint64)
            places[layout.people.place] = vocabulary.cell_numbers[layout.words.cell]
            near = files.distance_decay.matrix(person.cells, places)[0]
        directed, width = files.model.directed(person), layout.people.taste.shape[1]
        taste, appeal = padded(directed.taste, width), directed.appeal[0]
        if events is not None and len(events):
            done = DoneWith.of(person, events)
            rows = np.array(snapshot.ids.find(sorted(done.apart | done.liked)), np.int64)
            excluded[rows[rows >= 0]] = True
            taste = taste_of_newcomer(snapshot, person, events, taste, near)
        query = ExternalQuery.of(layout, compiled, taste=taste, appeal=appeal, near=near)
        return cls(person, query, excluded)

    def within(self, rows: BoolArray) -> Self:
        """Return the same where nobody but some of the people, `(n_people,)`, may be shown."""
        return replace(self, excluded=self.excluded | ~rows)

    def best(self, snapshot: Snapshot) -> Int32Array:
        """Return the rows of everybody who may be shown, best first; near ties stand by lot."""
        live = snapshot.live
        found = self.query.top_k(
            live.layout,
            k=len(live.layout.order),
            combiner=live.combiner,
            exclude=np.flatnonzero(self.excluded),
            price=live.prices,
            highest_price=live.highest_price,
        )
        return found.rows[
            order_by_lot(
                np.full(len(found.rows), crc32(self.person.ids.ids([0])[0].encode("utf-8", "replace"))),
                found.rows,
                found.p_like.astype(np.float64) * found.p_liked_back,
                day=snapshot.data_as_of.toordinal(),
            )
        ]

    @cached_property
    def reasons(self) -> Reasons:
        """What reasons are read from of the person."""
        return Reasons.of_one(self.person)

    def reason_codes(
        self, snapshot: Snapshot, rows: Int32Array, stages: Sequence[str] | None = None
    ) -> list[list[str]]:
        """Return why each of `rows` is shown to the newcomer; circles and distance wait a night.

        stages: of the newcomer with each; None is `listed`.
        """
        reasons = snapshot.reasons.with_person(self.reasons, rows)
        others = np.arange(1, len(rows) + 1, dtype=np.int32)
        return reasons.codes(np.zeros(len(rows), np.int32), others, stages)


class DoneWith(NamedTuple):
    """Whom a newcomer's own events keep apart from them, of those for good, and whom they liked already."""

    apart: frozenset[str]
    for_good: frozenset[str]
    liked: frozenset[str]

    @classmethod
    def of(cls, person: Population, events: Events) -> Self:
        """Read the events, whatever their times: those of today are later than a profile may be."""
        me = person.ids.ids([0])[0]
        named = pd.concat([events.frame[C.ACTOR], events.frame[C.TARGET]]).dropna()
        ids = IdIndex({*named.tolist(), me})
        latest = max(person.as_of, events.frame[C.TS].max()) if len(events) else person.as_of
        found, row = relations(events, None, None, ids, latest), ids.row(me)

        def others(pairs: npt.NDArray[np.integer]) -> frozenset[str]:
            return frozenset(map(str, ids.ids(np.unique(pairs[pairs != row])).tolist()))

        own = (found.excluded == row).any(axis=1)
        lasts = np.isin(found.reason, [EXCLUSION_REASONS.index(why) for why in LASTING])
        return cls(
            others(found.excluded[own]),
            others(found.excluded[own & lasts]),
            others(found.liked[found.liked[:, 0] == row]),
        )
