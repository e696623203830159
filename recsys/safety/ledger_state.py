"""What the records of the safety ledger say together: who is stopped, kept apart or linked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from recsys.safety.canonical import in_any_spelling
from recsys.safety.fingerprints import ID, PERSON, SPELLING, Fingerprints, Naming
from recsys.safety.keys import Keys, KeyUse
from recsys.safety.ledger_file import Record, change_tags, numbers_in, refused

BAN: Final = "ban"
HOLD: Final = "hold"
SUPPRESSED: Final = "suppressed"
"""The stop of somebody who was banned or held when they were erased."""
TABLES: Final = "tables"
"""The owner of what a night read in its tables."""
ACCOUNT: Final = "account"
"""The owner of the state `hold` that an account's own row of the tables says."""
STORE: Final = "store"
"""The owner of what was written through a safety store."""
TODAY: Final = "today"
"""The owner of what an account's own tables of today, or the profile it came with, say of its state."""


UNLINK: Final = "unlink"
"""The record that takes links of fingerprints back, by the owner and for the reason that stand in it."""
STOP_ROWS: Final = "stop rows"
"""The record of rows of profiles that say a ban or a hold, which a published night has read."""
NEWER: Final = "newer"
"""Why a publication leaves somebody out: so do earlier ones while it is not loaded. Its owner is the run."""


class Who(NamedTuple):
    """How one account is known: its id, and the token of its person where there is one."""

    user_id: str
    token: str | None = None


class LedgerTag(NamedTuple):
    """Why somebody is stopped or a pair separated, and whose word it is; only its owner lifts it.

    account: the fingerprint of the account of which it was said, or of a separation of which somebody's word
    can be taken back, that of the account that said it; 0 when of none.
    """

    why: str
    owner: str
    account: int = 0


EXCLUDED_NUMBER: Final = LedgerTag("number", TABLES)
"""Of pairs of whom the first excluded a number or mailbox of the other, whatever the other has now."""
HIDDEN: Final = LedgerTag("hide", TABLES)
"""Of pairs of whom the second hid another account of the first's person, until the first is unlinked."""
HIDDEN_LEAVER: Final = LedgerTag("hide of a leaver", TABLES)
"""Of pairs of whom one hid the other and the first has no row any more, until it has one again.

Whoever was erased has none for good."""


@dataclass(eq=False)
class LedgerState:
    """What the records say together; see `SafetyLedger.now`.

    links: fingerprints of one person, such as those of a token that was replaced by another.
    erasures: how many people had asked to be erased, with the time of the latest. stores: how many writes
    each safety store had taken when the ledger last heard of it. stopped_at: by fingerprint and tag, the time
    as of which a night first read a stop, ISO UTC; a stop without such a time is lacking. newer: by run, whom
    its publication leaves out; see `served_by`. are_told_apart: whether ids that differ in spelling alone are
    of different people; then links over spellings, which are kept in `spellings` too, do not count, but those
    over which somebody was restricted before: who joins under many such ids frees nobody. unlinked: links
    that were taken back, which neither a spelling nor the day makes again. stop_rows: fingerprints of rows of
    bans and holds that nights have read; None before the first of them.
    """

    identity: str = ""
    namings: list[Fingerprints] = field(default_factory=list)
    stops: dict[int, set[LedgerTag]] = field(default_factory=dict)
    stopped_at: dict[tuple[int, LedgerTag], str] = field(default_factory=dict)
    pairs: dict[int, dict[int, set[LedgerTag]]] = field(default_factory=dict)
    links: dict[int, set[int]] = field(default_factory=dict)
    erasures: tuple[int, str] = (0, "")
    stores: dict[str, int] = field(default_factory=dict)
    dropped_stores: frozenset[str] = frozenset()
    newer: dict[str, "LedgerState"] = field(default_factory=dict)
    are_told_apart: bool = False
    spellings: set[tuple[int, int]] = field(default_factory=set)
    unlinked: set[tuple[int, int]] = field(default_factory=set)
    key_uses: list[KeyUse] = field(default_factory=list)
    stop_rows: set[int] | None = None
    _spelled: set[int] = field(default_factory=set, init=False, repr=False)
    _persons: dict[int, frozenset[int]] = field(default_factory=dict, init=False, repr=False)
    _served: dict[str, "LedgerState"] = field(default_factory=dict, init=False, repr=False)

    def served_by(self, run_id: str) -> "LedgerState":
        """Return what holds where one publication is served: whom later ones leave out is out as well."""
        later = [of_run for run, of_run in self.newer.items() if run > run_id]
        if not later:
            return self
        served = self._served
        if run_id not in served:
            stops = {one: set(tags) for one, tags in self.stops.items()}
            pairs = {one: {other: set(tags) for other, tags in of.items()} for one, of in self.pairs.items()}
            for of_run in later:
                for one, tags in of_run.stops.items():
                    stops.setdefault(one, set()).update(tags)
                for one, others in of_run.pairs.items():
                    for other, tags in others.items():
                        pairs.setdefault(one, {}).setdefault(other, set()).update(tags)
            served[run_id] = replace(self, stops=stops, pairs=pairs, newer={})
        return served[run_id]

    @property
    def restricts(self) -> bool:
        """Whether anybody is stopped or kept apart at all."""
        return bool(self.stops or self.pairs)

    def without(self, *ended: LedgerTag) -> "LedgerState":
        """Return the same but for what is said under some tags, of whichever account."""
        names = {tag[:2] for tag in ended}

        def kept(told: Mapping[int, set[LedgerTag]]) -> dict[int, set[LedgerTag]]:
            left = {one: {tag for tag in tags if tag[:2] not in names} for one, tags in told.items()}
            return {one: tags for one, tags in left.items() if tags}

        pairs = {one: others for one, told in self.pairs.items() if (others := kept(told))}
        return replace(self, stops=kept(self.stops), pairs=pairs)

    def fingerprints(self, who: Who) -> tuple[int, ...]:
        """Return every fingerprint under which somebody may stand here."""
        named = [(ID, who.user_id), (PERSON, who.token)] if who.token else [(ID, who.user_id)]
        return tuple([naming.of(kind, text) for naming in self.namings for kind, text in named])

    def fingerprints_of_ids(self, ids: Sequence[str]) -> list[list[int]]:
        """Return, for each naming, the fingerprints of accounts of which the id alone is known."""
        return [naming.of_ids(ids) for naming in self.namings]

    def primary(self, who: Who) -> int:
        """Return the fingerprint under which somebody is written: of the person where that is known."""
        newest = self.namings[-1]
        return newest.of(PERSON, who.token) if who.token else newest.of(ID, who.user_id)

    def linked(self, fingerprints: Iterable[int]) -> set[int]:
        """Return every fingerprint of the persons of these."""
        found = set(fingerprints)
        for one in self.links.keys() & found:
            found |= self._persons.get(one) or self._person(one)
        return found

    def _person(self, fingerprint: int) -> frozenset[int]:
        """Return every fingerprint linked with one, and remember it for each of them."""
        known, found, fresh = self._persons, {fingerprint}, {fingerprint}
        while fresh:
            fresh = set[int]().union(*(self.links.get(one, ()) for one in fresh)) - found
            found |= fresh
        person = frozenset(found)
        known.update(dict.fromkeys(person, person))
        return person

    def is_stopped(self, fingerprints: Iterable[int]) -> bool:
        """Say whether the person of one of these stands stopped."""
        return not self.stops.keys().isdisjoint(self.linked(fingerprints))

    def links_of_spelling(self, user_id: str) -> tuple[int, int] | None:
        """Return the link of an account to what is known here of its id in any spelling; None for nothing.

        Noted while spelling tells people apart it counts once it does not.
        """
        known = (spelling_link(naming, user_id) for naming in self.namings)
        return next((link for link in known if link[1] in self._spelled or link[1] in self.links), None)

    def unnoted(self, links: Iterable[tuple[int, int]], *, spelled: bool) -> set[tuple[int, int]]:
        """Return those of some links that are not noted yet; spelled: over spelling, of which some wait."""
        new = {(a, b) for a, b in links if a and b and a != b and b not in self.links.get(a, ())}
        return new.difference(self.spellings, self.unlinked) if spelled else new

    def accounts(self, user_id: str) -> set[int]:
        """Return the fingerprints of an account, and of the same id in other spellings linked with it."""
        found = set(self.fingerprints(Who(user_id)))
        if self.links.keys().isdisjoint(found):
            return found
        for naming in self.namings:
            own, spelled = spelling_link(naming, user_id)
            if own in self.links.get(spelled, ()):
                found |= self.links[spelled]
        return found

    def fingerprints_of_spelling(self, user_id: str) -> set[int]:
        """Return the fingerprints of an id in any spelling; none where spelling tells people apart."""
        return set() if self.are_told_apart else {spelling_link(one, user_id)[1] for one in self.namings}

    def stop_of_account(self, user_id: str, tag: LedgerTag) -> str | None:
        """Return the time as of which a stop of an account was read, "" when it has none, None without it."""
        found = [
            self.stopped_at.get((one, tag._replace(account=one)), "")
            for one in self.accounts(user_id)
            if tag._replace(account=one) in self.stops.get(one, ())
        ]
        return max(found, default=None)

    def near_stops(self, tag: LedgerTag) -> set[int]:
        """Return the fingerprints of all accounts whose `stop_of_account` may not be None under a tag.

        Those of every stopped account, and of whatever is linked with one over another fingerprint, as ids
        are that differ in spelling alone.
        """
        held = {one for one, tags in self.stops.items() if tag._replace(account=one) in tags}
        beside = (self.links[other] for one in held for other in self.links.get(one, ()))
        return held.union(*beside)

    def separated_from(self, fingerprints: Iterable[int]) -> frozenset[int]:
        """Return the fingerprints of persons who are kept apart from those of any of these."""
        others = (other for one in self.linked(fingerprints) for other in self.pairs.get(one, ()))
        return frozenset(self.linked(others))

    def take(self, record: Record, keys: Keys) -> None:
        """Take one more record in."""
        kind, self._served = record["kind"], {}  # not cleared either
        if kind in {"begin", "key"}:
            self.identity = record.get("ledger", self.identity)
            self.namings.append(Fingerprints(Naming(record["key"]), keys))
            self.key_uses.append(KeyUse(record["key"], str(record.get("at", ""))))
        elif kind == "erasures":
            self.erasures = (int(record["people"]), str(record["watermark"]))
        elif kind == "store":
            self._take_store(record)
        elif kind == "link":
            ends = numbers_in(record["pairs"])
            links = [*zip(ends[::2], ends[1::2], strict=True)]
            apart = bool(record.get("told_apart", self.are_told_apart))
            if apart != self.are_told_apart:
                # Nobody is freed by it: what restricts stays with whom it reached.
                changed = [one for one in self.spellings if not (apart and self._restricts(one))]
                self._change_links(changed, cut=apart)
            if record.get("spelled"):
                self.spellings.update(links)
                self._spelled.update(spelled for _, spelled in links)
            self._change_links([] if apart and record.get("spelled") else links)
            self.unlinked.difference_update(links)
            self.are_told_apart = apart
        elif kind == STOP_ROWS:
            self.stop_rows = (self.stop_rows or set()).union(numbers_in(record["rows"]))
        elif kind == UNLINK:
            ends = numbers_in(record["pairs"])
            self._change_links(links := [*zip(ends[::2], ends[1::2], strict=True)], cut=True)
            self.spellings.difference_update(links)
            self.unlinked.update(links, [(b, a) for a, b in links])
        elif kind in {"stop", "separate", "lift"}:
            tag = LedgerTag(record["why"], record["owner"])
            at = self if tag.why != NEWER else self.newer.setdefault(tag.owner, LedgerState())
            at._restrict(record, tag, lifts=kind == "lift")
            if tag.why == NEWER and not at.restricts:
                del self.newer[tag.owner]
        else:
            raise refused("holds a record this version does not know", got=kind)

    def _take_store(self, record: Record) -> None:
        if record.get("as_it_is"):
            self.dropped_stores = (self.dropped_stores | self.stores.keys()) - {record["store"]}
            self.stores = {}
        if record["store"] not in self.dropped_stores:
            most = max(self.stores.get(record["store"], 0), int(record["writes"]))
            self.stores = {**self.stores, record["store"]: most}

    def _restricts(self, link: tuple[int, int]) -> bool:
        """Say whether anybody whom a link is of stands stopped or kept apart."""
        linked = self.linked(link)
        return not (self.stops.keys().isdisjoint(linked) and self.pairs.keys().isdisjoint(linked))

    def _change_links(self, links: Iterable[tuple[int, int]], *, cut: bool = False) -> None:
        """Take links in, or cut them; another thread may read those there were."""
        ends = [(a, b) for one, other in links for a, b in ((one, other), (other, one))]
        if cut:
            changed = {a: set(self.links.get(a, ())) for a, _ in ends}
            for a, b in ends:
                changed[a].discard(b)
            both = {**self.links, **changed}
            self.links = {one: others for one, others in both.items() if others}
        else:
            for a, b in ends:
                self.links.setdefault(a, set()).add(b)
        self._persons = {}  # not cleared: another thread may still write what it found before

    def _restrict(self, record: Record, tag: LedgerTag, *, lifts: bool) -> None:
        people, accounts = numbers_in(record.get("people", "")), numbers_in(record.get("accounts", ""))
        for one, account in zip(people, accounts, strict=True):
            told = tag._replace(account=account)
            change_tags(self.stops, one, told, lifts=lifts)
            self.stopped_at.pop((one, told), None)
            if not lifts and record.get("as_of"):
                self.stopped_at[one, told] = str(record["as_of"])
        ends = numbers_in(record.get("pairs", ""))
        actors = numbers_in(record.get("actors", "")) or [0] * (len(ends) // 2)
        for one, other, actor in zip(ends[::2], ends[1::2], actors, strict=True):
            for a, b in ((one, other), (other, one)):
                of_one = self.pairs.setdefault(a, {})
                change_tags(of_one, b, tag._replace(account=actor), lifts=lifts)
                if not of_one:
                    del self.pairs[a]


def spelling_link(naming: Fingerprints, user_id: str) -> tuple[int, int]:
    """Return the fingerprints of an id and of all its spellings together."""
    return naming.of(ID, user_id), naming.of(SPELLING, in_any_spelling(user_id))
