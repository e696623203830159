"""Events that restrict somebody, by type and month, beside those of the published nights of four weeks."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from recsys.catalogue.columns import Tables as T
from recsys.data.restriction_counts import RESTRICTING_IN
from recsys.pipeline.gates.over_nights import Decline, Found, nights_together
from recsys.pipeline.gates.proposal import Proposal

_PEOPLE: Final = "people"
_GATE: Final = "safety_tables"
ByMonth = Mapping[str, Counter[str]]
"""How many events, by type and by month, such as `2026-01`."""


def events_over_nights(proposal: Proposal) -> tuple[dict[str, Decline], dict[str, float]]:
    """Compare the events that restrict, type by type; return the comparisons, and what later nights need.

    A service may send the events of some months alone. So the first month of a type is not compared: those
    of all later ones are, as many as still may be there where people have left.
    """
    counts, year = proposal.row_counts or {}, proposal.people.as_of.year
    if not any(name.startswith(RESTRICTING_IN) for name in counts.get(T.EVENTS, {})) and not proposal.lately:
        return {}, {}
    people = float(counts.get(T.PROFILES, {}).get("accepted", 0))
    tonight = _by_type(_of_counts(counts.get(T.EVENTS, {})), year)
    past = [_by_type(_of_numbers(night.get(_GATE, {})), year) for night in proposal.lately]
    declines = {
        f"{T.EVENTS}_{kind}": _decline(proposal, kind, tonight.get(kind, Counter()), past, people)
        for kind in sorted({*tonight, *(kind for of_night in past for kind in of_night)})
    }
    kept = {_PEOPLE: people} if declines else {}
    kept |= {_key(kind, month): float(n) for kind, of in tonight.items() for month, n in of.items()}
    return declines, kept | {f"{name}_rows": decline.now for name, decline in declines.items()}


def _decline(
    proposal: Proposal, kind: str, tonight: Counter[str], past: list[ByMonth], people: float
) -> Decline:
    """Compare the events of one type; a night that was published beyond the limit was meant to be."""
    name, block = f"{T.EVENTS}_{kind}", proposal.limits.block_below_safety_rows
    first = min(tonight, default="")

    def is_meant(found: Found) -> bool:
        most = float(found.get(f"{name}_most", 0.0))
        return Decline(float(found.get(f"{name}_rows", 0.0)), most, block).is_beyond

    start, since = nights_together(proposal.lately, _GATE, is_meant)
    judged = len(since) + (start is not None)
    now, most = _later(tonight, first), 0.0
    for of_night, numbers in zip(past[-judged:] if judged else (), proposal.lately[-judged:], strict=True):
        then = float(numbers.get(_GATE, {}).get(_PEOPLE, 0.0))
        share = min(1.0, people / then) if then else 0.0
        most = max(most, share * _later(of_night.get(kind, Counter()), first))
    return Decline(now, max(now, most), block)


def _later(of_month: Counter[str], first: str) -> float:
    return float(sum(n for month, n in of_month.items() if month > first))


def _by_type(rows: Mapping[tuple[str, str], float], year: int) -> ByMonth:
    """Return events by type and month; of years before the last one, by year."""
    found: dict[str, Counter[str]] = {}
    for (kind, month), n in rows.items():
        span = month if int(month[:4]) >= year - 1 else month[:4]
        found.setdefault(kind, Counter())[span] += int(n)
    return found


def _key(kind: str, month: str) -> str:
    return f"{T.EVENTS}_{kind}_in_{month}"


def _of_numbers(found: Found) -> dict[tuple[str, str], float]:
    named = ((name.removeprefix(f"{T.EVENTS}_").partition("_in_"), n) for name, n in found.items())
    return {(kind, month): float(n) for (kind, is_month, month), n in named if is_month}


def _of_counts(of_events: Mapping[str, int]) -> dict[tuple[str, str], float]:
    named = {name: n for name, n in of_events.items() if name.startswith(RESTRICTING_IN)}
    told = ((name.removeprefix(RESTRICTING_IN).partition(":"), n) for name, n in named.items())
    return {(kind, month): float(n) for (kind, _, month), n in told}
