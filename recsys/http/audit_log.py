"""The audit log: which operator looked at what, when and what for; people stand in it as fingerprints.

A line is added to one file and none is changed. Whom an entry is about is found by the keyed fingerprint of
an id, so that the log names nobody, to whoever lacks the key, and an erasure leaves it whole.
"""

import json
import re
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from recsys.catalogue.text_folding import fold
from recsys.moderation.case_people import REDACTED, naming
from recsys.report.localization import moment
from recsys.safety.fingerprints import Fingerprints, Naming, forms_of
from recsys.safety.keys import Keys, read_keys
from recsys.storage.json_lines import add_json_line, read_json_lines

LOG: Final = "audit.jsonl"
FEW_ENTRIES: Final = 50
MOST_ENTRIES: Final = 200
"""How many are shown, and how many when more is asked for."""


_WRITTEN: Final = re.compile(r'"(?:purpose|detail)": "(?P<words>[^"\\]*+(?:\\.[^"\\]*+)*+)"')
"""What operators wrote, in a line of JSON; a quotation mark within it has a backslash before it."""


def _without(words: str, user: str) -> bytes:
    """Return a text in JSON without an id, in as many bytes as before."""

    def redacted(found: re.Match[str]) -> str:
        size = len(found[0].encode())
        return REDACTED.ljust(size, "*")[:size]

    told = naming(user).sub(redacted, json.loads(f'"{words}"'))
    size, made = len(words.encode()), json.dumps(told, ensure_ascii=False)[1:-1].encode()
    return made if len(made) == size else b"*" * size


@dataclass(frozen=True)
class AuditEntry:
    """One page that an operator opened: at, by whom, what for, at which page.

    people: the fingerprints of whom it was about, with blanks between. detail: the case and what was done.
    """

    at: str
    operator: str
    purpose: str
    what: str
    people: str
    detail: str = ""


class AuditLog:
    """The entries of one folder; any process may add to it.

    keys: of the service; None reads them, see `recsys.safety.keys`. Entries under an older key are found as
    long as that is given as well.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     audit = AuditLog(Path(folder))
    ...     _ = audit.add("aki", "report 31", "member", ["u7"])
    ...     _ = audit.add("ren", "appeal", "cases", [])
    ...     [one.operator for one in audit.newest()], [one.operator for one in audit.newest(user="u7")]
    (['ren', 'aki'], ['aki'])
    """

    def __init__(self, folder: Path, keys: Keys | None = None) -> None:
        self._path, self._keys = folder / LOG, read_keys() if keys is None else keys

    def add(
        self, operator: str, purpose: str, what: str, users: list[str], *, detail: str = ""
    ) -> AuditEntry:
        """Add one entry and return it; an empty id is nobody."""
        prints = Fingerprints(Naming(self._keys.newest_id), self._keys)
        people = " ".join(prints.text(user) for user in users if user)
        moment = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}"
        entry = AuditEntry(moment, operator, purpose, what, people, detail)
        add_json_line(self._path, json.dumps(asdict(entry), ensure_ascii=False))
        return entry

    def newest(
        self,
        *,
        user: str = "",
        operator: str = "",
        day: str = "",
        zone: str = "UTC",
        most: int = MOST_ENTRIES,
    ) -> list[AuditEntry]:
        """Return the last entries, newest first; of one person, operator or day of `zone` where given."""
        wanted = forms_of(user, self._keys)
        kept = (
            one
            for one in self._all()
            if (not user or not wanted.isdisjoint(one.people.split()))
            and (not operator or fold(one.operator) == fold(operator))
            and (not day or moment(f"{one.at}+00:00", zone).startswith(day))
        )
        return list(deque(kept, maxlen=most))[::-1]

    def redact(self, user: str) -> None:
        """Take an erased id out of what operators wrote: a purpose, and what was done in a case.

        Letter for letter in its place, so that lines that are added meanwhile stay whole. An id may be a
        number or a word that stands elsewhere in an entry, so nothing else of it is looked at.
        """
        if not self._path.exists():
            return
        with self._path.open("r+b") as file:
            text = file.read().decode("utf-8", "surrogateescape")
            for written in _WRITTEN.finditer(text):
                without = _without(written["words"], user)
                if without != written["words"].encode():
                    file.seek(len(text[: written.start("words")].encode("utf-8", "surrogateescape")))
                    file.write(without)

    def _all(self) -> Iterator[AuditEntry]:
        for line in read_json_lines(self._path):
            with suppress(ValueError):  # cut short by a crash
                yield AuditEntry(**json.loads(line))
