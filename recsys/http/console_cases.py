"""The pages of cases: the list, one case with its forms, and the steps that operators take."""

import re
import string
import unicodedata
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import Response

from recsys.data.ids import canonical_spelling
from recsys.errors import InputError
from recsys.http.access import OpenService, Service
from recsys.http.console_pages import CASE_FILTERS, Console
from recsys.http.console_session import Operator, SignedIn, back_to, checked_form, page_of
from recsys.moderation import ANSWERS, DECISIONS, CaseChangedError
from recsys.moderation.case_states import ERASED, HOLDING
from recsys.moderation.review_policy import load_policy
from recsys.ranking.snapshot import SnapshotIds

_MESSAGES: Final = ("done", "still_held", "refused", "holds_nobody", "hold_stays")
Meant = Callable[[Service, str], str]


def meant_by(console: Console, service: Service, user: str) -> str:
    """Return the one known person an id means in any spelling: of the publication, else of a case.

    An id that is nobody's is returned in its canonical spelling.
    """
    if not (bare := canonical_spelling(user)):
        return ""
    return service.ranker.known_ids().whom(bare) or console.whom(bare) or bare


def asked_again(
    service: Service, operator: Operator, form: Mapping[str, str], field: str, *, person: str, action: str
) -> Response | None:
    """Return a page that asks about the ids of other members in what an operator wrote, None without any.

    Words of operators outlive the members they name. The page has the whole form with its text, to change,
    or sent as it is with a tick.
    """
    known = service.ranker.known_ids()
    text = unicodedata.normalize("NFKC", form.get(field, ""))
    meant = {known.whom(word) for word in _WORD.findall(text)} - {None, person}
    if not meant or form.get("named"):
        return None
    kept = {key: value for key, value in form.items() if key != field}
    named = ", ".join(sorted(filter(None, meant)))
    values = {"action": action, "kept": kept, "field": field, "text": form[field], "named": named}
    return page_of("words_again", operator, operator.lang, 409, message="names_member", **values)


def nearest_ids(typed: str, known: SnapshotIds, most: int = 5) -> list[str]:
    """Return the known ids one slip away from `typed`: a letter more, less, other, or two swapped."""
    if typed in known or len(typed) > _LONGEST_ID:
        return []
    alphabet = string.ascii_lowercase + string.digits
    parts = [(typed[:at], typed[at:]) for at in range(len(typed) + 1)]
    slips = {a + b[1:] for a, b in parts if b} | {a + b[1] + b[0] + b[2:] for a, b in parts if len(b) > 1}
    slips |= {a + c + b for a, b in parts for c in alphabet}
    slips |= {a + c + b[1:] for a, b in parts if b for c in alphabet}
    return sorted(known.at([row for row in known.find(sorted(slips - {""})) if row >= 0]))[:most]


_LONGEST_ID: Final = 40
_WORD: Final = re.compile(r"[A-Za-z0-9_-]+")


def case_routes(routes: APIRouter, console: Console) -> None:
    """Add the pages of cases to the routes of the console."""
    meant = partial(meant_by, console)

    @routes.get("/cases")
    def cases(operator: SignedIn, service: OpenService, state: str = "") -> Response:
        operator.opened("cases")
        if state == "twice":
            return back_to("/holds?twice=1")
        found, known = console.listed_cases(state), service.ranker.known_ids()
        counts = console.cases_by_person()
        shown: dict[str, Any] = {"found": found, "known": known, "counts": counts, "states": CASE_FILTERS}
        return page_of("cases", operator, operator.lang, state=state, **shown)

    @routes.get("/cases/{name}")
    def case(operator: SignedIn, service: OpenService, name: str, message: str = "") -> Response:
        return _case_page(console, operator, service, name, message if message in _MESSAGES else "")

    _step_routes(routes, console, meant)


def _case_page(
    console: Console,
    operator: Operator,
    service: Service,
    name: str,
    message: str,
    *,
    status: int = 200,
    written: Mapping[str, str] | None = None,
) -> Response:
    """Return the page of one case; written: what stood in a form that was refused, by its step."""
    found = console.cases.of(name)
    operator.opened("case", found.person, detail=name)
    steps = [step for step in console.cases.steps() if step.case == name]
    about = console.member(found.person) if found.person else None
    choices: dict[str, Any] = {
        "decisions": DECISIONS,
        "answers": ANSWERS,
        "kinds": [kind for kind in load_policy().kinds if kind != "hold"],
        "evidence": console.evidence(found),
        "same_evidence": console.cases_on_the_same(found),
        "about": about,
        "known": found.person in service.ranker.known_ids(),
        "erased": any(step.step == ERASED for step in steps),
        "mine": found.was_decided_by(operator.name),
        "operators": console.operators(),
        "written": written or {},
    }
    return page_of(
        "case", operator, operator.lang, status, case=found, steps=steps, message=message, **choices
    )


def _step_routes(routes: APIRouter, console: Console, meant: Meant) -> None:
    @routes.post("/cases")
    async def open_case(request: Request, operator: SignedIn, service: OpenService) -> Response:
        form = await checked_form(request)
        person = meant(service, form.get("person", ""))
        if not person or not (person in service.ranker.known_ids() or form.get("sure")):
            return back_to(f"/member?user={quote(person)}")
        if form.get("version") != str(console.cases_by_person()[person]):
            return back_to(f"/member?user={quote(person)}&message=cases_changed")
        if again := asked_again(service, operator, form, "note", person=person, action="/console/cases"):
            return again
        made = console.open_case(person, form.get("kind", ""), by=operator.name, note=form.get("note", ""))
        operator.opened("open_case", person, detail=made.case)
        return back_to(f"/cases/{made.case}")

    @routes.post("/cases/{name}")
    async def step(request: Request, operator: SignedIn, service: OpenService, name: str) -> Response:
        form = await checked_form(request)
        before = console.cases.of(name)
        holds = form.get("step") == "decide" and form.get("decision") in HOLDING
        spelled = meant(service, before.person) == before.person
        if holds and not (before.person in service.ranker.known_ids() or (spelled and form.get("sure"))):
            return back_to(f"/cases/{name}?message=holds_nobody")
        address = f"/console/cases/{quote(name)}"
        about = before.person or ""
        if again := asked_again(service, operator, form, "explanation", person=about, action=address):
            return again
        page = partial(_case_page, console, operator, service, name)
        written = {form.get("step", ""): form.get("explanation", "")}
        written |= {name: form.get(name, "") for name in ("decision", "to")}
        bans = form.get("step") == "decide" and form.get("decision") == "ban"
        to = form.get("to", "") if form.get("step") == "assign" else ""
        is_new = to not in ("", operator.name, *console.operators())
        problem = ""
        if bans and not (form.get("sure_ban") and form.get("explanation")):
            problem = "ban_unsure"
        elif is_new and not form.get("sure_name"):
            problem = "assign_unsure"
        else:
            try:
                console.take_step(name, form, by=operator.name)
            except CaseChangedError:
                problem = "case_changed"
            except InputError:
                problem = "refused"
        if problem:
            return page(problem, status=409, written=written)
        what = form.get("decision") or form.get("answer") or ""
        operator.opened("step", before.person, detail=f"{name} {form.get('step', '')} {what}".strip())
        return back_to(f"/cases/{name}?message={_message_after(console, form, before.held, name)}")


def _message_after(console: Console, form: dict[str, str], held: bool, name: str) -> str:
    """Return what to say after a step."""
    after = console.cases.of(name)
    if held and not after.held:
        return "still_held" if after.person and console.member(after.person).holds else "done"
    if form.get("step") == "decide" and after.held and form.get("decision") not in HOLDING:
        return "hold_stays"
    return "done"
