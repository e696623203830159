"""A view of the safety ledger for a night under judgement: what restricts is told at once, what opens waits.

The tables of a night may be older or damaged, and its gates say so only later. Until then nothing is lifted,
and no account is linked by a person token that it did not have in what is served: links are for good.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from recsys.safety.keys import Keys
from recsys.safety.ledger import SafetyLedger
from recsys.safety.ledger_file import Record, numbers_in, pair_record, stop_record
from recsys.safety.ledger_state import STOP_ROWS, LedgerState, LedgerTag, Who

_WAITING_KINDS = ("link", "stop", "separate", "lift", STOP_ROWS)
_ONCE_SERVED = ("lift", STOP_ROWS)
"""Records that are written once the night is served; those before it are written when it passed its gates."""


class PendingLedger(SafetyLedger):
    """A safety ledger that keeps lifts back until `write_lifts`, and sees them already itself.

    trusted: says of ids whose token is the one that is served; None trusts nobody's. What is told of the
    others stands under their ids alone until `write_names`: what restricts an account restricts the other
    accounts of the publication that is served all the same. waiting: tags whose separations wait whole.

    >>> import tempfile
    >>> from recsys.safety.ledger_state import HOLD, STORE
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     ledger, tag = SafetyLedger(Path(folder), Keys()), LedgerTag(HOLD, STORE)
    ...     ledger.stop([Who("a")], tag)
    ...     pending = PendingLedger(Path(folder), Keys())
    ...     pending.lift(tag, people=[Who("a")])
    ...     before = ledger.now().restricts, pending.now().restricts
    ...     pending.write_lifts()
    ...     before, ledger.now().restricts
    ((True, False), False)
    """

    def __init__(
        self,
        folder: Path,
        keys: Keys,
        trusted: Callable[[list[str]], Collection[str]] | None = None,
        waiting: Collection[LedgerTag] = (),
    ) -> None:
        super().__init__(folder, keys)
        self._trusted, self._waiting_tags, self._waits = trusted, frozenset(waiting), False
        self._held: list[Record] = []

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        self._waits = True
        try:
            yield
        finally:
            self._waits = False

    def _without_new_tokens(self, people: Iterable[Who]) -> dict[Who, Who]:
        """Return each of these as they may be named at once."""
        found = dict.fromkeys(people)
        named = [who.user_id for who in found if who.token]
        trusted = set[str]() if self._trusted is None else set(self._trusted(named))
        return {who: who if who.user_id in trusted else Who(who.user_id) for who in found}

    def _append(self, records: Sequence[Record]) -> None:
        held = [one for one in records if self._waits and one["kind"] in _WAITING_KINDS]
        super()._append([one for one in records if one not in held])
        for record in held:
            self._state.take(record, self.keys)
        self._held += held

    def stop(self, people: Iterable[Who], tag: LedgerTag, *, as_of: str = "", renew: bool = False) -> None:
        """Note that these people are shown to nobody; see `SafetyLedger.stop`."""
        named = self._without_new_tokens(people)
        super().stop(named.values(), tag, as_of=as_of, renew=renew)
        with self._waiting():
            super().stop([who for who in named if named[who] != who], tag, as_of=as_of, renew=renew)

    def separate(self, pairs: Iterable[tuple[Who, Who]], tag: LedgerTag, *, directed: bool = False) -> None:
        """Note that these pairs are not shown to each other; see `SafetyLedger.separate`."""
        pairs = list(pairs)
        waiting = pairs
        if tag not in self._waiting_tags:
            named = self._without_new_tokens(who for pair in pairs for who in pair)
            super().separate([(named[a], named[b]) for a, b in pairs], tag, directed=directed)
            waiting = [(a, b) for a, b in pairs if (named[a], named[b]) != (a, b)]
        with self._waiting():
            super().separate(waiting, tag, directed=directed)

    def link(self, pairs: Iterable[tuple[int, int]], *, spelled: bool = False) -> None:
        """Note that two fingerprints are of one person, once `write_names` is called."""
        with self._waiting():
            super().link(pairs, spelled=spelled)

    def note_spellings(self, *, told_apart: bool) -> None:
        """Note whether spelling tells people apart, once `write_names` is called."""
        with self._waiting():
            super().note_spellings(told_apart=told_apart)

    def lift(
        self,
        tag: LedgerTag,
        *,
        people: Iterable[Who] = (),
        pairs: Iterable[tuple[Who, Who]] = (),
        directed: bool = False,
    ) -> None:
        """Note that what was said no longer holds, once `write_lifts` is called."""
        with self._waiting():
            super().lift(tag, people=people, pairs=pairs, directed=directed)

    def take_back(self, tag: LedgerTag, people: Iterable[Who]) -> None:
        """Note that what was said under a tag no longer holds, once `write_lifts` is called."""
        with self._waiting():
            super().take_back(tag, people)

    def note_stop_rows(self, rows: Sequence[int], *, once_served: bool = False) -> None:
        """Note rows of bans and holds as read, once `write_lifts` is called where `once_served`."""
        if not once_served:
            super().note_stop_rows(rows)
            return
        with self._waiting():
            super().note_stop_rows(rows)

    def write_names(self) -> None:
        """Write what waited because it names people by their tokens: the night has passed its gates."""
        self._write([one for one in self._held if one["kind"] not in _ONCE_SERVED])
        self._held = [one for one in self._held if one["kind"] in _ONCE_SERVED]

    def write_to_copy(self, ledger: SafetyLedger) -> None:
        """Write to a copy of the ledger all that waits here, as `write_names` and `write_lifts` will."""
        self.now()
        names = [one for one in self._held if one["kind"] not in _ONCE_SERVED]
        lifts = [_without_said_again(one, self._state) for one in self._held if one["kind"] == "lift"]
        ledger.append([one for one in (*names, *lifts) if _says_something(one)])

    def write_stops_for_now(
        self, tag: LedgerTag, but: Collection[int] = (), also: Collection[tuple[int, int]] = ()
    ) -> None:
        """Write whom tonight's tokens stop, each with its account, until a night that knows it is published.

        but: fingerprints of tokens that stop nobody by this. also: further ones that do.
        """
        columns = [
            (numbers_in(told.get("people", "")), numbers_in(told.get("accounts", "")))
            for told in self._held_of("stop")
        ]
        stopped = {at for people, accounts in columns for at in zip(people, accounts, strict=True)}.union(
            also
        )
        self._write([stop_record("stop", tag, sorted(at for at in stopped if at[0] not in but))])

    def write_pairs_for_now(
        self, tag: LedgerTag, but: Collection[int] = (), also: Collection[tuple[int, int]] = ()
    ) -> None:
        """Write whom tonight's tokens keep apart, in the same way."""
        ends = [numbers_in(told.get("pairs", "")) for told in self._held_of("separate")]
        pairs = {(a, b) for one in ends for a, b in zip(one[::2], one[1::2], strict=True)}
        pairs |= {(min(pair), max(pair)) for pair in also}
        kept = sorted((a, b, 0) for a, b in pairs if a not in but and b not in but)
        self._write([pair_record("separate", tag, kept)])

    def _held_of(self, kind: str) -> list[Record]:
        return [one for one in self._held if one["kind"] == kind]

    def write_lifts(self) -> None:
        """Write the lifts: the night is served. What was said again since stands."""
        self.now()
        self._write([_without_said_again(one, self._state) for one in self._held])
        self._held = []

    def _write(self, records: Iterable[Record]) -> None:
        self.append([one for one in records if _says_something(one)])


def _says_something(record: Record) -> bool:
    return bool(record.get("people") or record.get("pairs") or {"told_apart", "rows"} & record.keys())


def _without_said_again(lift: Record, state: LedgerState) -> Record:
    """Return a lift without what stands in the state, where it was taken already; others as they are."""
    if lift["kind"] != "lift":
        return lift
    tag = LedgerTag(lift["why"], lift["owner"])
    if people := numbers_in(lift.get("people", "")):
        stopped = zip(people, numbers_in(lift["accounts"]), strict=True)
        left = [at for at in stopped if tag._replace(account=at[1]) not in state.stops.get(at[0], ())]
        return stop_record("lift", tag, left)
    ends = numbers_in(lift.get("pairs", ""))
    actors = numbers_in(lift.get("actors", "")) or [0] * (len(ends) // 2)
    pairs = zip(ends[::2], ends[1::2], actors, strict=True)
    apart = [
        (a, b, actor)
        for a, b, actor in pairs
        if tag._replace(account=actor) not in state.pairs.get(a, {}).get(b, ())
    ]
    return pair_record("lift", tag, apart)
