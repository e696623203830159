"""Whom cases are about, and what operators wrote: one file beside the log of cases.

It is beside the log so that erasing a person breaks no chain. The log has the digest of each text, so that
one that was changed afterwards is found; the salt of a digest goes with its text.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from recsys.safety.fingerprints import may_stand_in_names
from recsys.storage.atomic_write import write_atomically

PEOPLE: Final = "people.json"
REDACTED: Final = "(erased)"
"""What stands in a text in the place of an erased person's id."""
_FULL_WIDTH: Final = 0xFEE0


class CasePeople:
    """Reads and writes the file of one folder; whoever writes holds the lock of the log.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     people = CasePeople(Path(folder))
    ...     people.add("case-1", "u7", ("e1",), "u8 wrote")
    ...     _ = people.redact("u8")
    ...     people.read()["case-1"]["note"]
    '(erased) wrote'
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / PEOPLE

    def read(self) -> dict[str, Any]:
        """Return what is kept of each case, by its id."""
        return dict(json.loads(self._path.read_bytes())) if self._path.exists() else {}

    def add(self, case: str, person: str, evidence: tuple[str, ...], note: str) -> None:
        """Keep whom a new case is about."""
        kept = {"person": person, "evidence": list(evidence), "note": note}
        self._write({**self.read(), case: kept})

    def keep(self, case: str, text: str) -> str:
        """Keep words of an operator, and return the digest that the log has of them."""
        people, salt = self.read(), secrets.token_hex(16)
        people[case].setdefault("explanations", []).append([salt, text])
        self._write(people)
        return _digest(salt, text)

    def forget(self, person: str) -> list[str]:
        """Forget what is kept of the cases about a person, and return which these are."""
        people = self.read()
        gone = [case for case, one in people.items() if one.get("person") == person]
        if gone:
            self._write({case: one for case, one in people.items() if case not in gone})
        return gone

    def redact(self, person: str) -> dict[str, dict[str, str]]:
        """Take the id of a person out of every text; return new digests by the old ones, by case."""
        people, named = self.read(), naming(person)
        changed: dict[str, dict[str, str]] = {}
        for case, one in people.items():
            texts = [one.get("note", ""), *(text for _, text in one.get("explanations", ()))]
            if not any(map(named.search, texts)):
                continue
            one["note"] = named.sub(REDACTED, one.get("note", ""))
            digests = changed.setdefault(case, {})
            for entry in one.get("explanations", ()):
                salt, text = entry
                if named.search(text):
                    entry[1] = named.sub(REDACTED, text)
                    digests[_digest(salt, text)] = _digest(salt, entry[1])
        if changed:
            self._write(people)
        return changed

    def _write(self, people: Mapping[str, Any]) -> None:
        write_atomically(self._path, json.dumps(people, ensure_ascii=False, indent=1).encode())


def explanations_of(about: Mapping[str, Any]) -> dict[str, str]:
    """Return the explanations of a case by their digest; one that was changed has another."""
    return {_digest(salt, text): text for salt, text in about.get("explanations", ())}


def _digest(salt: str, text: str) -> str:
    return hashlib.sha256(f"{salt}{text}".encode()).hexdigest()


_OF_AN_ID: Final = "[A-Za-z0-9_\\-Ａ-Ｚａ-ｚ０-９＿－]"
"""Signs beside which an id is a part of a longer word."""


def naming(user_id: str) -> re.Pattern[str]:
    """Return a pattern of an id in small and capital, narrow and full-width letters, within a text.

    One without a letter or digit is found as a whole text alone.

    >>> bool(naming("u7").search("Ｕ7さんの夫")), bool(naming("u7").search("u77"))
    (True, False)
    """
    spelled = "".join(
        "[" + "".join(re.escape(form) for form in (one, one.lower(), one.upper(), _wide(one))) + "]"
        for one in user_id
    )
    before, after = (
        (rf"(?<!{_OF_AN_ID})", rf"(?!{_OF_AN_ID})") if may_stand_in_names(user_id) else (r"\A\s*", r"\s*\Z")
    )
    return re.compile(f"{before}{spelled}{after}", re.IGNORECASE)


def _wide(letter: str) -> str:
    return chr(ord(letter) + _FULL_WIDTH) if "!" <= letter <= "~" else letter
