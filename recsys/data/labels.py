"""Labels: from events to one directed label per pair, whether the viewer wanted to know the candidate.

`LABEL_WEIGHTS` says what each kind of evidence is worth: `label` 1 is a yes, 0 a no; `strength` in (0, 1] is
how much it weighs. Only the order and the rough proportions matter: the more an act cost, the more it says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field

from recsys.arguments import checked_arguments
from recsys.catalogue.columns import Columns as C
from recsys.config import Section, Share
from recsys.data.conversations import both_did, exchanges, replies
from recsys.data.events import CodedEvents, Events
from recsys.data.exclusions import latest_decisions
from recsys.data.pair_keys import positions_in, unordered_pair_keys
from recsys.data.times import MICROSECONDS_A_DAY, as_utc, microseconds
from recsys.errors import explained, need_columns, warn


@dataclass(frozen=True, slots=True)
class LabelWeight:
    """One kind of evidence."""

    label: float
    strength: float
    why: str


OUTCOME: Final = "outcome"
"""In `attrs` of a truth: what its label 1 is, `like` of the viewer or `mutual`; absent where nobody said."""
ONE_SIDED: Final = "one_sided"
"""In `attrs` of labels: the side of the candidates where viewers alone decide, as about films, else empty."""
LABEL_WEIGHTS: Final[Mapping[str, LabelWeight]] = MappingProxyType(
    {
        "impression": LabelWeight(
            0.0, 0.05, "seen and left unanswered: almost nothing, and only when asked for"
        ),
        "pass": LabelWeight(0.0, 0.3, "a tap; often says 'not today'"),
        "hide": LabelWeight(0.0, 0.4, "a tap that was meant to last"),
        "like": LabelWeight(1.0, 0.3, "a tap"),
        "message: replied": LabelWeight(1.0, 0.6, "took the time to answer"),
        "rules_agreed: both": LabelWeight(1.0, 0.6, "both want to go on, and how"),
        "message: exchange": LabelWeight(1.0, 0.8, "kept answering each other for a week or more"),
        "feeling_check: both comfortable": LabelWeight(1.0, 0.9, "both said it is good as it is"),
        "meet_feedback: both again": LabelWeight(1.0, 1.0, "met, felt safe, and both would meet again"),
        "feeling_check: pressured": LabelWeight(0.0, 0.9, "said it does not feel good"),
        "end: unsafe": LabelWeight(0.0, 1.0, "left because it was not safe"),
    }
)
"""The numbers. Evidence that needs both counts for both directions."""

NO_EVIDENCE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "terms_accepted": "about one person alone",
        "verified": "about one person alone",
        "optin": "opens a stage, asked for by the service",
        "meet_planned": "a plan is no verdict",
        "erase": "every row of the person drops",
        "unblock": "the block is taken back; what was felt before is not known",
        "undo": "the like, pass or hide before it is as if it had not been said",
    }
)
"""Event types that say nothing about taste, and why."""

EXCLUDED_EVENTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "block": (),
        "report": (),
        "off_platform_request": (),
        "money_request": (),
        "meet_feedback": ("unsafe",),
    }
)
"""Events (with these details, if any are named) that take the pair out of training, both ways."""


class LabelSettings(Section):
    """How events become labels.

    half_life_days: age at which evidence weighs half. exchange_days, exchange_messages,
    exchange_balance: an exchange is strong when it lasted so long, each sent so many, and the one
    who wrote less wrote at least this share of the other's count. unanswered: also return pairs
    that were only shown. label_weights: the weight of each kind of evidence.
    """

    half_life_days: Annotated[float, Field(gt=0.0)] = 180.0
    exchange_days: Annotated[float, Field(ge=0.0)] = 7.0
    exchange_messages: Annotated[int, Field(ge=1)] = 5
    exchange_balance: Share = 1 / 3
    unanswered: bool = False
    label_weights: Mapping[str, LabelWeight] = Field(default_factory=lambda: LABEL_WEIGHTS)


LABEL = "label"
STRENGTH = "strength"
N_IMPRESSIONS = "n_impressions"
COLUMNS = (C.VIEWER, C.CANDIDATE, LABEL, STRENGTH, C.WEIGHT, C.TS, N_IMPRESSIONS)

_DEFAULT = LabelSettings()
LOOKS: Final = LabelSettings(unanswered=True)
"""Labels of all pairs of whom one was shown the other."""


@dataclass(frozen=True, eq=False)
class FeedbackSignal:
    """One kind of evidence: directed pairs (as `viewer * n_people + candidate`) and its latest time.

    Evidence of a higher `rank` wins over evidence of a lower one; within a rank the stronger wins.
    """

    kind: str
    pair: npt.NDArray[np.int64]
    ts: npt.NDArray[np.int64]
    rank: int


@dataclass(frozen=True, eq=False)
class PairLabels:
    """The labels as aligned arrays `(n_pairs,)`, people as positions in the people of the events.

    pair: int64 `viewer * width + candidate`, ascending. ts: microseconds since 1970. The others are the
    columns of `directed_labels`.
    """

    pair: npt.NDArray[np.int64]
    width: int
    label: npt.NDArray[np.float64]
    strength: npt.NDArray[np.float64]
    weight: npt.NDArray[np.float64]
    ts: npt.NDArray[np.int64]
    n_impressions: npt.NDArray[np.int64]

    @property
    def viewer(self) -> npt.NDArray[np.int64]:
        """Who looked."""
        return self.pair // self.width

    @property
    def candidate(self) -> npt.NDArray[np.int64]:
        """Whom they looked at."""
        return self.pair % self.width


_SEEN, _POSITIVE, _NEGATIVE, _UNSAFE = range(4)


def last_labels(known: pd.DataFrame) -> pd.DataFrame:
    """Return the last row of each pair of a table of what was said: viewer_id, candidate_id, label.

    Raises MissingColumnError when one of the three columns is missing.

    >>> said = pd.DataFrame({"viewer_id": ["a", "a"], "candidate_id": ["b", "b"], "label": [1, 0]})
    >>> last_labels(said)["label"].tolist()
    [0]
    """
    need_columns((C.VIEWER, C.CANDIDATE, LABEL), known.columns, where="known")
    return known.drop_duplicates([C.VIEWER, C.CANDIDATE], keep="last")


@checked_arguments
def directed_labels(
    events: Events,
    as_of: str | pd.Timestamp | None = None,
    *,
    settings: LabelSettings = _DEFAULT,
    excluded: Sequence[pd.DataFrame] = (),
) -> pd.DataFrame:
    """Return one row per directed pair with evidence, sorted by viewer and candidate.

    label: 1.0 the viewer wanted to know the candidate, 0.0 not. strength: (0, 1], see `LABEL_WEIGHTS`.
    weight: strength halved every `half_life_days` before `as_of` (None: the latest event).
    ts: when the evidence was last given. n_impressions: how often the candidate was shown.

    Feeling unsafe wins over a pass or hide with no later like, which wins over the best positive; an
    amicable end leaves the label as it was. Pairs with a block, a report or another safety event
    are in no row, in either direction; nor are the pairs of the tables in `excluded` (`actor`,
    `target`). Events after `as_of` and rows of erased people are never used.

    >>> likes = pd.DataFrame({"actor": ["a", "a"], "target": ["b", "c"], "type": ["like", "pass"]})
    >>> directed_labels(Events.of(likes))[["viewer_id", "candidate_id", "label"]].values.tolist()
    [['a', 'b', 1.0], ['a', 'c', 0.0]]
    """
    known = events.until(as_of).without_erased()
    coded = known.coded
    now = known.now if as_of is None else microseconds(as_utc(as_of))
    labels = pair_labels(coded, settings, now=now, excluded=excluded)
    return pd.DataFrame(
        {
            C.VIEWER: coded.people[labels.viewer],
            C.CANDIDATE: coded.people[labels.candidate],
            LABEL: labels.label,
            STRENGTH: labels.strength,
            C.WEIGHT: labels.weight,
            C.TS: pd.to_datetime(labels.ts, unit="us", utc=True),
            N_IMPRESSIONS: labels.n_impressions,
        },
        columns=list(COLUMNS),
    )


def pair_labels(
    coded: CodedEvents,
    settings: LabelSettings = _DEFAULT,
    *,
    now: int,
    excluded: Sequence[pd.DataFrame] = (),
) -> PairLabels:
    """Return what `directed_labels` returns, as arrays; `coded` holds no row that must not be used.

    now: microseconds since 1970, from when age counts.
    """
    evidence = _all_signals(coded, settings)
    pair, kind, ts = _best(evidence, settings)
    keep = ~excluded_from_training(pair, coded, excluded)
    pair, kind, ts = pair[keep], kind[keep], ts[keep]
    label_weights = [settings.label_weights[found.kind] for found in evidence]
    strength = np.array([weight_of.strength for weight_of in label_weights])[kind]
    return PairLabels(
        pair=pair,
        width=max(len(coded.people), 1),
        label=np.array([weight_of.label for weight_of in label_weights])[kind],
        strength=strength,
        weight=strength * 0.5 ** ((now - ts) / MICROSECONDS_A_DAY / settings.half_life_days),
        ts=ts,
        n_impressions=_impressions(coded, pair),
    )


def _all_signals(coded: CodedEvents, settings: LabelSettings) -> list[FeedbackSignal]:
    decisions, width = latest_decisions(coded), max(len(coded.people), 1)
    towards = decisions.actor * width + decisions.target
    pressured = coded.detailed("feeling_check", "pressured")
    exchange = exchanges(
        coded,
        days=settings.exchange_days,
        messages=settings.exchange_messages,
        balance=settings.exchange_balance,
    )
    return [
        FeedbackSignal("like", towards[decisions.likes], decisions.liked[decisions.likes], _POSITIVE),
        FeedbackSignal("pass", towards[decisions.passes], decisions.passed[decisions.passes], _NEGATIVE),
        FeedbackSignal("hide", towards[decisions.hides], decisions.hidden[decisions.hides], _NEGATIVE),
        FeedbackSignal("message: replied", *replies(coded), _POSITIVE),
        FeedbackSignal("message: exchange", *exchange, _POSITIVE),
        FeedbackSignal("rules_agreed: both", *both_did(coded, coded.are("rules_agreed")), _POSITIVE),
        FeedbackSignal(
            "meet_feedback: both again",
            *both_did(coded, coded.detailed("meet_feedback", "safe_again")),
            _POSITIVE,
        ),
        FeedbackSignal(
            "feeling_check: both comfortable",
            *both_did(coded, coded.detailed("feeling_check", "comfortable"), unless=pressured),
            _POSITIVE,
        ),
        FeedbackSignal("feeling_check: pressured", *_one_did(coded, pressured), _UNSAFE),
        FeedbackSignal("end: unsafe", *_one_did(coded, coded.detailed("end", "unsafe")), _UNSAFE),
        *(
            [FeedbackSignal("impression", *_one_did(coded, coded.are("impression")), _SEEN)]
            * settings.unanswered
        ),
    ]


def _one_did(
    coded: CodedEvents, chosen: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the directed pairs of the chosen events, one row an event, and their times."""
    rows = np.flatnonzero(chosen & (coded.target >= 0) & (coded.actor != coded.target))
    return coded.actor[rows] * len(coded.people) + coded.target[rows], coded.ts[rows]


def _best(
    evidence: Sequence[FeedbackSignal], settings: LabelSettings
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int8], npt.NDArray[np.int64]]:
    """Return, for each pair, the evidence that wins: pair, position in `evidence`, time."""
    size = [len(found.pair) for found in evidence]
    pair = np.concatenate([found.pair for found in evidence])
    ts = np.concatenate([found.ts for found in evidence])
    kind = np.repeat(np.arange(len(evidence), dtype=np.int8), size)
    strengths = [found.rank + settings.label_weights[found.kind].strength / 2 for found in evidence]
    rank = np.unique(strengths, return_inverse=True)[1].astype(np.int8)
    order = np.lexsort((ts, rank[kind], pair))
    pair, kind, ts = pair[order], kind[order], ts[order]
    last = np.ones(len(pair), bool)
    last[:-1] = pair[1:] != pair[:-1]
    return pair[last], kind[last], ts[last]


def _impressions(coded: CodedEvents, pair: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    shown, _ = _one_did(coded, coded.are("impression"))
    at = positions_in(pair, shown)
    found = at < len(pair)
    found[found] = pair[at[found]] == shown[found]
    return np.bincount(at[found], minlength=len(pair)).astype(np.int64)


def warn_of_looks_without_places(events: pd.DataFrame, *, where: str) -> None:
    """Warn where impressions have no place in a list: nobody knows which of them were looked at.

    Labels take each as a look, P(like | look) weighs those without an answer down: its level cannot be judged
    by them. Orders can.
    """
    shown = events[events[C.TYPE].eq("impression")]
    if not len(shown) or (C.POSITION in shown and shown[C.POSITION].notna().any()):
        return
    what = "impressions have no place in a list, so it is not known which of them were looked at"
    remedy = "give their place by position= or as a column of events, or judge orders (AUC, NDCG) alone"
    warn(explained(what, where=where, got=f"{len(shown):,} impressions, each taken as a look", remedy=remedy))


def safety_events(coded: CodedEvents) -> npt.NDArray[np.bool_]:
    """Say which events take their pair out of training, `(n_events,)` bool."""
    found = np.zeros(len(coded.ts), bool)
    for kind, details in EXCLUDED_EVENTS.items():
        found |= coded.detailed(kind, *details) if details else coded.are(kind)
    return found


def excluded_from_training(
    pair: npt.NDArray[np.int64], coded: CodedEvents, tables: Sequence[pd.DataFrame]
) -> npt.NDArray[np.bool_]:
    """Say which directed pairs, `actor * people + target`, are not learned from: `(n_pairs,)` bool.

    tables: with `actor` and `target`, such as the blocks of a service. Both directions of a pair go.
    """
    width = max(len(coded.people), 1)
    chosen = safety_events(coded) & (coded.target >= 0)
    index = pd.Index(coded.people)
    listed = [
        np.column_stack([index.get_indexer(pd.Index(table[side])) for side in (C.ACTOR, C.TARGET)])
        for table in tables
    ]
    excluded_pairs = np.vstack([np.column_stack([coded.actor[chosen], coded.target[chosen]]), *listed])
    excluded_pairs = excluded_pairs[(excluded_pairs >= 0).all(axis=1)]
    both = unordered_pair_keys(pair // width, pair % width, width)
    return np.isin(both, unordered_pair_keys(excluded_pairs[:, 0], excluded_pairs[:, 1], width))
