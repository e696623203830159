"""The file of the safety ledger: one line a record, each signed together with the one before it.

Lines are JSON. The code of a line is an HMAC-SHA256 over the code of the line before and its own content, or
without any key a plain SHA-256: a line changed, taken out or put in is noticed. A ledger that had a key never
goes on without one. The end that was reached stands in a file beside it, so that lines cut off at the end are
noticed too.
"""

import fcntl
import hmac
import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from recsys.errors import SafetyUnavailable, explained
from recsys.safety.keys import UNKEYED, Keys, purpose_key
from recsys.storage.atomic_write import sync_folder, write_atomically

LEDGER: Final = "safety-ledger.jsonl"
HEAD: Final = "safety-ledger.head"
_LOCK: Final = ".safety-ledger.lock"
_CODE: Final = "mac"
_KEY_KINDS: Final = ("begin", "key")
"""Records that name the key with which they and those after them are signed."""
_VOUCHED: Final = "by"
"""What the key before says of a record that names another: its code over the same."""
_FORM: Final = "form"
"""The form of a record; after one of this form no key follows without the word of the one before."""

Record = Mapping[str, Any]
Tag = TypeVar("Tag")


@dataclass(frozen=True)
class Position:
    """How far a ledger was read: bytes and records, the code of the last, and all codes (one a record).

    is_vouched: whether the key before has to vouch for another one, as from the first record of this form on.
    """

    offset: int = 0
    key: str = UNKEYED
    is_vouched: bool = False
    codes: tuple[str, ...] = field(default=(), repr=False)

    @property
    def code(self) -> str:
        """The code of the last record."""
        return self.codes[-1] if self.codes else ""


class LedgerWatermark(NamedTuple):
    """Up to where a ledger was known: its identity, how many records, the code of the last."""

    identity: str
    records: int
    code: str

    def text(self) -> str:
        """Return it as a manifest holds it."""
        return f"{self.identity}:{self.records}:{self.code}"

    @classmethod
    def of_text(cls, text: str) -> "LedgerWatermark":
        """Read it from there; SafetyUnavailable when it is none."""
        identity, _, rest = text.partition(":")
        number, _, code = rest.partition(":")
        if not (identity and number.isdigit() and code):
            raise refused("has a watermark that is none", where="manifest.json")
        return cls(identity, int(number), code)


class LedgerFile:
    """Reads and appends the records of one ledger; any process may append."""

    def __init__(self, folder: Path, keys: Keys) -> None:
        self.path, self.keys = folder / LEDGER, keys
        self._folder, self._name = folder, str(self.path)

    def state(self) -> tuple[int, int, int] | None:
        """Return what changes when the file does; None when there is none."""
        try:
            found = os.stat(self._name)  # noqa: PTH116 - asked in every call
        except FileNotFoundError:
            return None
        except OSError as error:
            raise refused("cannot be read", got=type(error).__name__) from None
        return found.st_ino, found.st_size, found.st_mtime_ns

    def read(self, known: Position) -> tuple[list[Record], Position]:
        """Return the records after `known` and how far was read.

        Raises SafetyUnavailable when the file is missing, cut off, changed, or no continuation of `known`.
        """
        head = self._head()
        try:
            with self.path.open("rb") as file:
                start = known.offset if self._continues(file, known) else 0
                file.seek(start)
                content = file.read()
        except OSError as error:
            raise refused("cannot be read", got=type(error).__name__) from None
        records, found = self._verified(content, known if start else Position())
        if known.codes and not start and found.codes[: len(known.codes)] != known.codes:
            raise refused("was replaced by another")
        n_records, code = head
        if n_records > len(found.codes) or (n_records and found.codes[n_records - 1] != code):
            raise refused("was cut off or replaced", got=f"{len(found.codes)} records")
        if not start:
            records = records[len(known.codes) :]
        return records, found

    def append(self, records: Sequence[Record], at: Position) -> Position:
        """Append records, each whole, after all that `read` gave; they are on the disk when this returns.

        The caller holds the lock. Raises SafetyUnavailable when the file cannot be written.
        """
        lines, codes, key = [], list(at.codes), at.key
        for given in records:
            before, record = codes[-1] if codes else "", {**given, _FORM: 2}
            if record["kind"] in _KEY_KINDS:
                record |= {_VOUCHED: self._code(record, before, key)} if codes else {}
                key = str(record["key"])
            codes.append(self._code(record, before, key))
            lines.append(_line({**record, _CODE: codes[-1]}))
        written = b"".join(lines)
        try:
            new = not self.path.exists()
            with self.path.open("r+b" if not new else "xb") as file:
                file.seek(at.offset)
                file.truncate()  # a line half written by a writer that died
                file.write(written)
                file.flush()
                os.fsync(file.fileno())
            if new:
                sync_folder(self._folder)
            head = {"records": len(codes), _CODE: codes[-1] if codes else ""}
            write_atomically(self._folder / HEAD, json.dumps(head).encode() + b"\n")
        except OSError as error:
            raise refused("cannot be written", got=type(error).__name__) from None
        return Position(at.offset + len(written), key, bool(codes), tuple(codes))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep every other writer out."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise refused("cannot be written", got=type(error).__name__) from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _continues(self, file: Any, known: Position) -> bool:
        """Say whether the file still has, at the end of what is known, the line that stood there."""
        if not known.codes:
            return False
        size = min(known.offset, 120)
        file.seek(known.offset - size)
        return bool(file.read(size).endswith(f'"{_CODE}":"{known.code}"}}\n'.encode()))

    def _verified(self, content: bytes, at: Position) -> tuple[list[Record], Position]:
        records: list[Record] = []
        codes, key, whole = list(at.codes), at.key, content[: content.rfind(b"\n") + 1]
        is_vouched = at.is_vouched
        for line in whole.splitlines():
            try:
                record = json.loads(line)
                code = record.pop(_CODE)
                before, key = key, str(record["key"]) if record["kind"] in _KEY_KINDS else key
            except (ValueError, KeyError, TypeError, AttributeError):
                raise refused("is damaged", got=f"record {len(codes)}") from None
            if key == UNKEYED != before:  # whoever has no key could write on
                raise refused("is damaged: it had a key and goes on without one", got=f"record {len(codes)}")
            last = codes[-1] if codes else ""
            if key != before and codes and not self._vouches(record, last, before, needed=is_vouched):
                raise refused(
                    "is damaged: the key before does not vouch for another", got=f"record {len(codes)}"
                )
            is_vouched = is_vouched or _FORM in record
            expected = self._code(record, last, key)
            if not isinstance(code, str) or not hmac.compare_digest(code.encode(), expected.encode()):
                raise refused("is damaged: a record does not match its code", got=f"record {len(codes)}")
            codes.append(code)
            records.append(record)
        return records, Position(at.offset + len(whole), key, is_vouched, tuple(codes))

    def _vouches(self, record: Record, last: str, before: str, *, needed: bool) -> bool:
        """Say whether the key before vouches for a record that names another, as none did at first."""
        said = record.get(_VOUCHED)
        if said is None:
            return not needed
        own = {name: value for name, value in record.items() if name != _VOUCHED}
        return isinstance(said, str) and hmac.compare_digest(
            said.encode(), self._code(own, last, before).encode()
        )

    def _code(self, record: Record, before: str, key: str) -> str:
        message = before.encode() + b"\n" + _line(record)
        if key == UNKEYED:
            return sha256(message).hexdigest()[:32]
        return hmac.new(purpose_key(self.keys.secret(key), "ledger"), message, "sha256").hexdigest()[:32]

    def _head(self) -> tuple[int, str]:
        try:
            head = json.loads((self._folder / HEAD).read_bytes())
            return int(head["records"]), str(head[_CODE])
        except FileNotFoundError:
            return self._without_head()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise refused("has no readable end mark", where=HEAD, got=type(error).__name__) from None

    def _without_head(self) -> tuple[int, str]:
        """Return no end; only a ledger that was begun this moment has none."""
        try:
            lines = self.path.read_bytes().count(b"\n")
        except OSError:
            lines = 0
        if lines > 1:
            raise refused("has lost its end mark", where=HEAD)
        return 0, ""


def _line(record: Record) -> bytes:
    ordered = {name: record[name] for name in sorted(record) if name != _CODE}
    if _CODE in record:
        ordered[_CODE] = record[_CODE]
    return json.dumps(ordered, separators=(",", ":"), ensure_ascii=True).encode() + b"\n"


def refused(what: str, *, where: str = LEDGER, got: object = None) -> SafetyUnavailable:
    """Return the error for a ledger that cannot be trusted."""
    remedy = "restore it from a backup; without it nobody knows who was held or kept apart"
    return SafetyUnavailable(explained(f"the safety ledger {what}", where=where, got=got, remedy=remedy))


def record_of(kind: str, tag: tuple[str, str, int], **fingerprints: Collection[int]) -> Record:
    """Return a record of a kind, with fingerprints by name as 16 hexadecimal digits each.

    tag: why, and whose word it is; the account it is of stands beside the fingerprints.
    """
    made: dict[str, Any] = {"kind": kind, "why": tag[0], "owner": tag[1]}
    return made | {
        name: "".join(f"{one:016x}" for one in ones) for name, ones in fingerprints.items() if ones
    }


def stop_record(kind: str, tag: tuple[str, str, int], stopped: Sequence[tuple[int, int]]) -> Record:
    """Return a record of people who are stopped or free again, each with the account it was said of."""
    people, accounts = [one for one, _ in stopped], [account for _, account in stopped]
    return record_of(kind, tag, people=people, accounts=accounts)


def pair_record(kind: str, tag: tuple[str, str, int], pairs: Sequence[tuple[int, int, int]]) -> Record:
    """Return a record of pairs, each with the account that said it, 0 for nobody's."""
    ends, actors = [one for pair in pairs for one in pair[:2]], [actor for *_, actor in pairs]
    return record_of(kind, tag, pairs=ends, actors=actors if any(actors) else [])


def numbers_in(text: str) -> list[int]:
    """Return the fingerprints of a record's text.

    >>> numbers_in(f"{7:016x}{8:016x}")
    [7, 8]
    """
    return [int(text[at : at + 16], 16) for at in range(0, len(text), 16)]


def change_tags(tags: dict[int, set[Tag]], one: int, tag: Tag, *, lifts: bool) -> None:
    """Add a tag to those of a fingerprint, or take it away; a fingerprint without any is left out."""
    if not lifts:
        tags.setdefault(one, set()).add(tag)
        return
    left = tags.get(one, set()) - {tag}
    if left:
        tags[one] = left
    else:
        tags.pop(one, None)
