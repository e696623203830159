"""Sessions of operators in the console: who is signed in, until when, and what was ended before its time.

One file that only grows, which all workers read. Tokens and cookies stand in it as digests, so that whoever
reads it can sign in nowhere.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from recsys.catalogue.text_folding import fold
from recsys.http.access_tokens import AccessToken
from recsys.storage.json_lines import add_json_line, read_json_lines

FILE: Final = "sessions.jsonl"
_SEPARATOR: Final = "~"


@dataclass(frozen=True)
class SessionStep:
    """One line: a session began, was ended, or everything of an operator until then was.

    session: the digest of the cookie; empty where everything ended. until: when the token ends.
    """

    step: Literal["began", "ended", "all_ended"]
    at: str
    by: str
    operator: str
    session: str = ""
    until: str = ""


class OperatorSessions:
    """The sessions of one folder; any process may add to it.

    >>> import tempfile
    >>> now, folder = datetime(2026, 1, 5, tzinfo=UTC), tempfile.TemporaryDirectory()
    >>> sessions = OperatorSessions(Path(folder.name))
    >>> token = AccessToken.make(["operators"], operator="aki", now=now)
    >>> cookie = new_cookie("text of the token")
    >>> sessions.begin(cookie, token)
    >>> [one.operator for one in sessions.live(now)], sessions.is_live(cookie)
    (['aki'], True)
    >>> sessions.end(session_of(cookie), by="aki")
    >>> sessions.live(now), sessions.is_live(cookie)
    ([], False)
    >>> folder.cleanup()
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._read: tuple[tuple[int, int], tuple[SessionStep, ...]] = ((0, 0), ())

    def begin(self, cookie: str, token: AccessToken) -> None:
        """Note that an operator signed in with a token; `cookie` is of this session alone."""
        name, until = token.operator, token.expires_at
        self._add(SessionStep("began", _now(), name, name, session_of(cookie), until))

    def end(self, session: str, *, by: str) -> None:
        """End one session; nothing where there is no such one."""
        found = next((one for one in self._steps() if one.step == "began" and one.session == session), None)
        if found is not None:
            self._add(SessionStep("ended", _now(), by, found.operator, session))

    def end_all(self, operator: str, *, by: str) -> None:
        """End every session of an operator, and every token for them that was made until now."""
        self._add(SessionStep("all_ended", _now(), by, operator))

    def is_live(self, cookie: str) -> bool:
        """Say whether the session of a cookie began and was not ended; its token's end is not asked."""
        session = session_of(cookie)
        return any(one.session == session for one in self._not_ended())

    def is_token_ended(self, token: AccessToken) -> bool:
        """Say whether a token for operators was made before everything of its operator was ended."""
        made = datetime.fromisoformat(token.made_at) if token.made_at else datetime.min.replace(tzinfo=UTC)
        return any(
            made <= datetime.fromisoformat(one.at)
            for one in self._steps()
            if one.step == "all_ended" and fold(one.operator) == fold(token.operator)
        )

    def live(self, now: datetime) -> list[SessionStep]:
        """Return how each session began that goes on, newest first."""
        return [one for one in self._not_ended() if datetime.fromisoformat(one.until) > now][::-1]

    def operators(self) -> set[str]:
        """Return everybody who ever signed in."""
        return {one.operator for one in self._steps() if one.step == "began"}

    def of_check(self, check: str) -> SessionStep | None:
        """Return how the session began whose forms carry `check`, ended or not; None for none."""
        given = check.encode("utf-8", "replace")
        began = (one for one in self._steps()[::-1] if one.step == "began")
        return next((one for one in began if hmac.compare_digest(given, _check(one.session).encode())), None)

    def _not_ended(self) -> Iterator[SessionStep]:
        steps = self._steps()
        ended = {one.session for one in steps if one.step == "ended"}
        last_end = {fold(one.operator): place for place, one in enumerate(steps) if one.step == "all_ended"}
        for place, one in enumerate(steps):  # a clock may be set back: what stands before an end is ended
            later = place > last_end.get(fold(one.operator), -1)
            if one.step == "began" and one.session not in ended and later:
                yield one

    def _add(self, step: SessionStep) -> None:
        add_json_line(self._path, json.dumps(asdict(step), ensure_ascii=False))

    def _steps(self) -> tuple[SessionStep, ...]:
        """Return every line, read again when the file has grown."""
        try:
            state = self._path.stat()
        except FileNotFoundError:
            return ()
        version = (state.st_size, state.st_mtime_ns)
        if version != self._read[0]:
            steps: list[SessionStep] = []
            for line in read_json_lines(self._path):
                with suppress(ValueError):  # cut short by a crash
                    steps.append(SessionStep(**json.loads(line)))
            self._read = version, tuple(steps)
        return self._read[1]


def new_cookie(token_text: str) -> str:
    """Return the cookie of a new session: the text of its token, and what no other session has."""
    return f"{token_text}{_SEPARATOR}{secrets.token_urlsafe(16)}"


def token_text(cookie: str) -> str:
    """Return the text of the token that a session began with."""
    return cookie.partition(_SEPARATOR)[0]


def session_of(cookie: str) -> str:
    """Return the name of the session of a cookie, which is no secret."""
    return hashlib.sha256(cookie.encode()).hexdigest()


def form_check(cookie: str) -> str:
    """Return what every form of a session carries, so that another site cannot send one."""
    return _check(session_of(cookie))


def _check(session: str) -> str:
    return hmac.digest(session.encode(), b"form", hashlib.sha256).hex()


def _now() -> str:
    return datetime.now(UTC).isoformat()
