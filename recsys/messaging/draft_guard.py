"""Finds what should not be in a draft; keeps, logs and quotes none of it."""

from collections.abc import Iterator
from typing import Final

from recsys.catalogue.entries import Language
from recsys.catalogue.loading import load_catalogue
from recsys.errors import InputError, did_you_mean, explained
from recsys.messaging.guard_rules import GUARD_KINDS, Finding, Folded, Rules, load_rules
from recsys.messaging.phone_numbers import phone_spans

LONGEST: Final = 10_000
"""Characters; a longer text is no message and no profile."""


def check(draft: str) -> tuple[Finding, ...]:
    """Return what should not be in a draft, in order, as spans of the draft itself.

    Width, kana and spacing do not matter. A finding is a hint for the writer, never a verdict: the backend
    shows it and lets the writer decide. Findings of one kind that touch are one.
    Raises InputError when the draft is no text or is longer than 10,000 characters.

    >>> draft = "よろしければ、ＬＩＮＥ交換しませんか"
    >>> [(found.kind, draft[found.start : found.end]) for found in check(draft)]
    [('off_platform', 'ＬＩＮＥ交換しませんか')]
    >>> check("There is a line of poetry I return to.")
    ()
    """
    if not isinstance(draft, str):
        raise InputError(explained("a draft is a text", got=type(draft).__name__))
    if len(draft) > LONGEST:
        remedy = f"check at most {LONGEST} characters at once"
        raise InputError(explained("a draft is too long", got=len(draft), remedy=remedy))
    folded, rules = Folded.of(draft), load_rules()
    matches = list(_matches(folded, rules))
    excused = {kind: _excuses(folded, rules, kind) for kind in {kind for kind, _, _ in matches}}
    found = {
        Finding(*folded.span(start, end), kind)
        for kind, start, end in matches
        if not any(begin < end and start < stop for begin, stop in excused[kind])
    }
    return tuple(sorted(_joined(found)))


def _matches(folded: Folded, rules: Rules) -> Iterator[tuple[str, int, int]]:
    for start, end in phone_spans(folded.text):
        yield "contact", start, end
    for rule in rules.rules:
        for match in rule.pattern.finditer(folded.cased if rule.cased else folded.text):
            if match.end() > match.start():
                yield rule.kind, match.start(), match.end()


def _excuses(folded: Folded, rules: Rules, kind: str) -> list[tuple[int, int]]:
    """Return where something stands that excuses findings of a kind."""
    return [match.span() for pattern in rules.unless[kind] for match in pattern.finditer(folded.text)]


def _joined(found: set[Finding]) -> list[Finding]:
    joined: dict[str, list[Finding]] = {}
    for finding in sorted(found):
        same = joined.setdefault(finding.kind, [])
        if same and finding.start <= same[-1].end:
            same[-1] = Finding(same[-1].start, max(same[-1].end, finding.end), finding.kind)
        else:
            same.append(finding)
    return [finding for same in joined.values() for finding in same]


def advice(kind: str, lang: Language = "ja", *, support: str) -> str:
    """Return what to say to the writer; distress is answered with the support contact.

    support: how to reach the people of the service, in words.
    Raises InputError for an unknown kind.

    >>> advice("money", "en", support="support@example.org")
    'Please keep money, loans and investments out of it, for the peace of both.'
    """
    if kind not in GUARD_KINDS:
        raise InputError(explained("unknown kind", got=kind, remedy=did_you_mean(kind, GUARD_KINDS)))
    if kind == "distress":
        return load_catalogue().steps.checks["distress"].text(lang).format(contact=support)
    return load_rules().advice[kind].text(lang)
