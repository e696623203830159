"""The response to a backend, a page of people for one viewer, and its receipt for recording impressions.

No score, distance, last activity, number of people left out or reason for leaving them out is in here.
"""

import hmac
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from html import escape
from typing import Final, Self

import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data.strict_json import RepeatedKeyError, strict_json
from recsys.errors import InputError, SafetyUnavailable, explained
from recsys.safety.canonical import CLOCKS_APART
from recsys.safety.day_log import DayEvent
from recsys.safety.keys import Keys, purpose_key


@dataclass(frozen=True, slots=True)
class Item:
    """One person to show.

    rank: place on the page, from 1. reasons: codes for `recsys.messaging.reasons.reason_text`, of what
    both may see at `stage`. icebreaker_kind: empathy, hobby or calm. expires_at: ask anew after that.
    """

    candidate_id: str
    rank: int
    reasons: tuple[str, ...]
    stage: str
    icebreaker_kind: str | None
    expires_at: datetime

    def at_rank(self, rank: int) -> Self:
        """Return the same person at another place."""
        return self if rank == self.rank else replace(self, rank=rank)


_ITEM: Final = tuple(field.name for field in fields(Item))


@dataclass(frozen=True, slots=True)
class Offered:
    """One place of a page as the next night needs it: who, where, and with what chance."""

    candidate_id: str
    position: int
    propensity: float


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was offered to whom, to be handed back to `Ranker.record`; a client may hold it.

    The signature is over everything else in it: what comes back changed is no receipt.

    >>> keys, at = Keys((b"k" * 32,)), "2026-01-05T03:00:00+00:00"
    >>> receipt = Receipt("run", "model", "a", at, (Offered("b", 1, 1.0),), expires_at=at).signed(keys)
    >>> Receipt.from_json(receipt.to_json()) == receipt, receipt.is_signed_by(keys)
    (True, True)
    >>> replace(receipt, viewer_id="c").is_signed_by(keys)
    False
    """

    run_id: str
    model_version: str
    viewer_id: str
    as_of: str
    offered: tuple[Offered, ...]
    expires_at: str
    key_id: str = ""
    signature: str = ""

    def signed(self, keys: Keys) -> Self:
        """Return the receipt with the signature of the newest of the keys."""
        return replace(self, key_id=keys.newest_id, signature=self._signature(keys, keys.newest_id))

    def is_signed_by(self, keys: Keys) -> bool:
        """Say whether one of the keys signed exactly this."""
        try:
            expected = self._signature(keys, self.key_id)
        except SafetyUnavailable:  # of a key that is not among them
            return False
        given = self.signature.encode("utf-8", "surrogatepass")
        return bool(self.key_id) and hmac.compare_digest(expected.encode(), given)

    def _signature(self, keys: Keys, key_id: str) -> str:
        content = {**self._plain(), "key_id": key_id, "signature": ""}
        text = _compact_json(dict(sorted(content.items())))  # what is in `offered` is in order
        return hmac.digest(purpose_key(keys.secret(key_id), "receipt"), text.encode(), "sha256").hex()

    def to_json(self) -> str:
        """Return the receipt as text, to keep in a session."""
        return json.dumps(self._plain(), separators=(",", ":"))

    def _plain(self) -> dict[str, object]:
        # what `asdict` returns without its deep copies
        offered = [
            {"candidate_id": one.candidate_id, "position": one.position, "propensity": one.propensity}
            for one in self.offered
        ]
        return {name: getattr(self, name) for name in _RECEIPT} | {"offered": offered}

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote.

        Raises InputError when it is no receipt; whether it is one of ours, `Ranker.record` says.
        """
        try:
            raw = strict_json(text)
            offered = tuple(Offered(**one) for one in raw.pop("offered"))
            texts = {name: text for name, text in raw.items() if isinstance(text, str)}
            receipt = cls(**texts, offered=offered)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, RepeatedKeyError):
            raise _no_receipt() from None
        if not receipt.is_sound():
            raise _no_receipt()
        return receipt

    def is_sound(self) -> bool:
        """Say whether times have zones, places are whole numbers from 1, and propensities lie in (0, 1]."""
        try:
            times = [datetime.fromisoformat(text) for text in (self.as_of, self.expires_at)]
        except (ValueError, TypeError):
            return False
        places = [one.position for one in self.offered]
        people = [one.candidate_id for one in self.offered]
        texts = (self.run_id, self.model_version, self.viewer_id, self.key_id, self.signature)
        return (
            all(isinstance(text, str) for text in texts)
            and all(time.tzinfo is not None for time in times)
            and all(isinstance(one, str) and one and one != self.viewer_id for one in people)
            and len({*people}) == len({*places}) == len(self.offered)
            and all(type(place) is int and place >= 1 for place in places)
            and all(_is_probability(one.propensity) for one in self.offered)
        )


_RECEIPT: Final = tuple(field.name for field in fields(Receipt))
_compact_json: Final = json.JSONEncoder(separators=(",", ":")).encode


def _no_receipt() -> InputError:
    return InputError(explained("not a receipt", remedy="give back what to_json returned"))


def _is_probability(value: object) -> bool:
    return type(value) is float and math.isfinite(value) and 0 < value <= 1


def check_receipt(
    receipt: Receipt, keys: Keys, *, viewer_id: str, now: datetime, key_ends: datetime | None = None
) -> None:
    """Check that a receipt was given to this viewer by this service, unchanged, and is not too old.

    key_ends: until when receipts of the key that signed it count, whatever they say; None for no such end.

    Raises InputError, which says what is wrong and names nobody.
    """
    if not receipt.is_sound() or not receipt.is_signed_by(keys):
        remedy = "give back what to_json returned; all workers need one RECSYS_KEY"
        raise InputError(explained("a receipt is not signed by this service", remedy=remedy))
    if receipt.viewer_id != viewer_id:
        raise InputError(explained("a receipt is of another viewer", remedy="record each page as its own"))
    if now > datetime.fromisoformat(receipt.expires_at) or (key_ends is not None and now > key_ends):
        raise InputError(explained("a receipt has expired", remedy="ask for a new page"))
    if now + CLOCKS_APART < datetime.fromisoformat(receipt.as_of):
        raise InputError(explained("a receipt is of a time to come", remedy="check the clocks"))


@dataclass(frozen=True, slots=True)
class Page:
    """People for one viewer, best first; as many as asked for, or fewer, never padded.

    model_version: identity of the model; data_as_of: the time the night stood at; staleness: how long
    ago that was. degraded: the newest publication could not be loaded, so an older one is served.
    next: what to give as `after` for the page that follows; None when this one is shorter than asked for.
    """

    viewer_id: str
    items: tuple[Item, ...]
    model_version: str
    data_as_of: datetime
    staleness: timedelta
    degraded: bool
    receipt: Receipt
    next: str | None = None

    def to_json(self) -> str:
        """Return the page as JSON, its fields by name; staleness_s in seconds, the receipt as a text."""
        items = [
            {**{name: getattr(item, name) for name in _ITEM}, "expires_at": item.expires_at.isoformat()}
            for item in self.items
        ]
        content = {
            "viewer_id": self.viewer_id,
            "items": items,
            "model_version": self.model_version,
            "data_as_of": self.data_as_of.isoformat(),
            "staleness_s": self.staleness.total_seconds(),
            "degraded": self.degraded,
            "receipt": self.receipt.to_json(),
            "next": self.next,
        }
        return json.dumps(content, separators=(",", ":"))

    def to_frame(self) -> pd.DataFrame:
        """Return one row a person: candidate_id, rank, reasons, stage, icebreaker_kind, expires_at."""
        names = [field.name for field in fields(Item)]
        return pd.DataFrame([[getattr(item, name) for name in names] for item in self.items], columns=names)

    def _repr_html_(self) -> str:
        """Show the people of the page."""
        return f"<p>{escape(self.viewer_id)}, {len(self.items)} people</p>{self.to_frame().to_html()}"


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


def impressions_of_day(events: pd.DataFrame) -> list[DayEvent]:
    """Return impressions as events of the day log."""
    rows = events[[C.EVENT, C.TS, C.ACTOR, C.TARGET]].itertuples(index=False, name=None)
    return [DayEvent(key, ts.to_pydatetime(), actor, target, "impression") for key, ts, actor, target in rows]


def _event_id(receipt: Receipt, candidate: str) -> str:
    text = "\n".join((receipt.run_id, receipt.viewer_id, receipt.as_of, candidate))
    return f"imp-{blake2b(text.encode(), digest_size=16).hexdigest()}"
