"""Routes for members: pages, single people, what was shown, blocks and reports, and the draft guard."""

from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException as StarletteHTTPException

from recsys.catalogue.vocabulary import REPORT_CATEGORIES
from recsys.errors import InputError, NotPermittedError
from recsys.http.access import PERMITS_MEMBERS, AskedLanguage, OpenService, service_of
from recsys.http.access_tokens import AccessToken
from recsys.http.failures import failure
from recsys.http.page_models import FailureAnswer, Lang, PageOfPeople, PersonShown
from recsys.http.refused_bodies import OF_MEMBER, KeepsRestrictions
from recsys.messaging.draft_guard import advice, check_draft
from recsys.messaging.icebreakers import icebreaker
from recsys.messaging.next_steps_and_feeling_checks import follow_up, next_steps
from recsys.ranking.ranker import LONGEST_PAGE
from recsys.ranking.response_and_receipt import Receipt
from recsys.ranking.viewer_filters import Filters
from recsys.safety.by_person import SafetyByPerson
from recsys.safety.day_log import DayEvent

REFUSALS: Final[dict[int | str, dict[str, Any]]] = {
    401: {"model": FailureAnswer, "description": "No token that holds."},
    403: {"model": FailureAnswer, "description": "A token for something or somebody else."},
    422: {"model": FailureAnswer, "description": "What was sent does not fit."},
    503: {"model": FailureAnswer, "description": "Nothing can be shown just now: try again."},
}
Token = Annotated[AccessToken, Depends(PERMITS_MEMBERS)]
Length = Annotated[int, Query(ge=1, le=LONGEST_PAGE, description="People asked for.")]
routes = APIRouter(
    prefix="/v1/members/{viewer_id}",
    tags=["members"],
    dependencies=[Depends(PERMITS_MEMBERS)],
    responses=REFUSALS,
    route_class=KeepsRestrictions,
)


class Body(BaseModel):
    """A body of a request: an unknown key is an error."""

    model_config = ConfigDict(extra="forbid")


class Shown(Body):
    """Who of a page was really shown; the same twice counts once."""

    receipt: str = Field(description="The receipt of the page.")
    people: list[str] = Field(max_length=LONGEST_PAGE, examples=[["m0000012"]])


class Recorded(BaseModel):
    """How many people were noted as shown."""

    shown: int


class Other(Body):
    """Another member."""

    person: str = Field(examples=["m0000012"])


class Draft(Body):
    """A draft of a message or a text of a profile; it is looked at and not kept."""

    text: str = Field(max_length=20_000, examples=["はじめまして。"])
    lang: Lang | None = None


class Finding(BaseModel):
    """A part of a draft to look at again: where it begins and ends, in characters, and of what kind.

    advice: what to say to the writer; to somebody in distress or danger, who helps and on what number.
    """

    start: int
    end: int
    kind: str = Field(examples=["contact"])
    advice: str


class Where(Body):
    """A viewer's own filters; what is empty or null leaves everybody."""

    genders: list[str] = Field(default=[], examples=[["woman"]])
    ages: list[str] = Field(default=[], examples=[["35-44", "45-54"]])
    within_km: int | None = Field(default=None, examples=[25])
    interests: list[str] = Field(default=[], examples=[["tea"]])
    languages: list[str] = Field(default=[], examples=[["ja"]])

    def filters(self) -> Filters:
        """Return the filters of the ranker."""
        return Filters(**self.model_dump())


class PageRequest(Body):
    """A page with everything that may be asked of one.

    profile: a viewer's own tables as rows by table name, for somebody the night does not know yet who has
    accepted the terms, or whose tables have changed since. It says how somebody was verified, how old they
    are and that nothing stops them, so it is the backend's word: a token for members alone is refused.
    """

    k: int = Field(default=10, ge=1, le=LONGEST_PAGE)
    lang: Lang | None = None
    where: Where = Where()
    among: list[str] | None = Field(default=None, max_length=LONGEST_PAGE)
    after: str | None = Field(default=None, description="`next` of the page before.")
    profile: dict[str, list[dict[str, Any]]] | None = None


@routes.get("/page", response_model=PageOfPeople)
async def page(
    viewer_id: str,
    request: Request,
    lang: AskedLanguage = None,
    k: Length = 10,
    after: Annotated[str | None, Query(description="`next` of the page before.")] = None,
) -> Response:
    """Return a page of people; an unknown viewer gets an empty one, like one who may see nobody."""
    service = service_of(request)
    found = await service.ask(lambda: service.ranker.rank(viewer_id, k, after=after))
    return json_response(PageOfPeople.of(found, lang or service.lang, service.ranker.catalogue))


@routes.post("/page", response_model=PageOfPeople)
async def page_of(viewer_id: str, body: PageRequest, service: OpenService, token: Token) -> Response:
    """Return a page with filters, from some people, after another page, or for a profile of today."""
    if body.profile is not None and not token.permits("backend", viewer_id):
        raise NotPermittedError("not permitted")
    found = await service.ask(
        lambda: service.ranker.rank(
            viewer_id,
            body.k,
            where=body.where.filters(),
            among=body.among,
            after=body.after,
            profile=body.profile,
        )
    )
    return json_response(PageOfPeople.of(found, body.lang or service.lang, service.ranker.catalogue))


@routes.get("/inbox", response_model=PageOfPeople)
async def inbox(viewer_id: str, request: Request, lang: AskedLanguage = None, k: Length = 10) -> Response:
    """Return who likes the viewer and waits for an answer; a like of this minute is in it."""
    service = service_of(request)
    found = await service.ask(lambda: service.ranker.inbox(viewer_id, k))
    return json_response(PageOfPeople.of(found, lang or service.lang, service.ranker.catalogue))


@routes.get(
    "/people/{person}",
    response_model=PersonShown,
    responses={404: {"model": FailureAnswer, "description": "Nobody who may be shown."}},
)
async def look(viewer_id: str, person: str, request: Request, lang: AskedLanguage = None) -> Response:
    """Return one person as the viewer may see them; blocked, held, out of reach and unknown are all alike."""
    service = service_of(request)
    found = await service.ask(lambda: service.ranker.look(viewer_id, person))
    if found is None:
        return failure(404, "not_found", "not found")
    return json_response(PersonShown.of(found, lang or service.lang, service.ranker.catalogue))


@routes.post("/shown")
async def shown(viewer_id: str, body: Shown, service: OpenService) -> Recorded:
    """Note who of a page was really shown: they stay away until a night has read it."""
    receipt = Receipt.from_json(body.receipt)
    events = await service.ask(lambda: service.ranker.record(receipt, body.people, viewer_id=viewer_id))
    return Recorded(shown=len(events))


def _named(safety: SafetyByPerson, person: str) -> str:
    """Return whom an id means; what can be no id as it is, for whoever refuses it keeps what it restricts."""
    with suppress(InputError):
        return safety.meant(person)
    return person


@routes.post("/blocks", status_code=204)
async def block(viewer_id: str, body: Other, service: OpenService) -> None:
    """Keep the viewer and another member apart until the viewer unblocks them."""
    safety = service.ranker.safety
    await service.ask(lambda: safety.block(viewer_id, _named(safety, body.person)))


@routes.post("/unblock", status_code=204)
async def unblock(viewer_id: str, body: Other, service: OpenService) -> None:
    """Take back the viewer's block of another member; a block by the other stays."""
    safety = service.ranker.safety
    await service.ask(lambda: safety.unblock(viewer_id, _named(safety, body.person)))


class Report(Other):
    """Another member, and what the report is about."""

    category: str = Field(default="other", examples=list(REPORT_CATEGORIES))


@routes.post("/reports", status_code=204)
async def report(viewer_id: str, body: Report, service: OpenService) -> None:
    """Keep two members apart since the viewer reported the other, whatever the category; people look into it.

    The category stands in the day log until a night has read it.
    """
    safety, day = service.ranker.safety, service.ranker.day
    await service.ask(lambda: day.report(viewer_id, _named(safety, body.person), body.category))


class Opening(BaseModel):
    """A first message to suggest, with the reason codes it rests on."""

    kind: str = Field(examples=["hobby"])
    text: str
    uses: list[str]


@routes.get("/people/{person}/icebreaker", responses={404: {"model": FailureAnswer}})
async def opening(viewer_id: str, person: str, service: OpenService, lang: AskedLanguage = None) -> Opening:
    """Return a first message to suggest to the viewer, made of what both may see; 404 when there is none."""
    item = await service.ask(lambda: service.ranker.look(viewer_id, person))
    found = None
    if item is not None:
        lang, catalogue = lang or service.lang, service.ranker.catalogue
        found = icebreaker(viewer_id, person, item.reasons, item.stage, lang=lang, catalogue=catalogue)
    if found is None:
        raise StarletteHTTPException(404)
    return Opening(kind=found.kind, text=found.text, uses=list(found.uses))


class SuggestedSteps(BaseModel):
    """What to do at the stage of two people, and what to leave for later, in words."""

    stage: str = Field(examples=["matched"])
    do: list[str]
    avoid: list[str]
    rules: list[str] = Field(description="The three that both agree to, once they may be agreed.")
    topics: list[str]


@routes.get("/people/{person}/steps", responses={404: {"model": FailureAnswer}})
async def steps(
    viewer_id: str, person: str, service: OpenService, lang: AskedLanguage = None
) -> SuggestedSteps:
    """Return the next steps of the viewer with somebody whom they may see."""
    item = await service.ask(lambda: service.ranker.look(viewer_id, person))
    if item is None:
        raise StarletteHTTPException(404)
    return SuggestedSteps(**asdict(next_steps(item.stage, lang or service.lang)))


class Answer(Body):
    """An answer to a feeling check; the same `event_id` again does nothing."""

    event_id: str = Field(min_length=1, max_length=120, examples=["check-7f3a"])
    answer: Literal["comfortable", "drifting", "closer", "pressured", "done"]
    lang: Lang | None = None


class PrivateText(BaseModel):
    """What only who answered should see, null for most answers; people review an answer of pressure."""

    text: str | None
    review: bool


@routes.post("/people/{person}/feeling-check")
async def feeling_check(viewer_id: str, person: str, body: Answer, service: OpenService) -> PrivateText:
    """Keep an answer to a feeling check, and return what follows for who gave it; the other hears nothing."""
    event = DayEvent(
        f"{OF_MEMBER}{body.event_id}", datetime.now(UTC), viewer_id, person, "feeling_check", body.answer
    )
    await service.ask(lambda: service.ranker.day.append([event]))
    lang = body.lang or service.lang
    found = follow_up(body.answer, lang, support=service.support or service.support_words(lang))
    return PrivateText(text=found.private, review=found.review)


class ChecksDue(BaseModel):
    """About whom a member is due for a feeling check, by their ids."""

    people: list[str] = Field(examples=[["m0000012"]])


@routes.get("/feeling-checks")
async def feeling_checks(viewer_id: str, service: OpenService) -> ChecksDue:
    """Return about whom to ask the member how they feel; only their own answers put a check off."""
    return ChecksDue(people=await service.ask(lambda: service.ranker.feeling_checks(viewer_id)))


class MemberCircles(BaseModel):
    """Hobby circles for one member, best first, by their ids; never one of fewer than five members."""

    circles: list[str] = Field(examples=[["tea-in-setagaya"]])


@routes.get("/circles")
async def circles(
    viewer_id: str, service: OpenService, k: Annotated[int, Query(ge=1, le=20)] = 5
) -> MemberCircles:
    """Return circles the viewer is not in; nobody in them by the night is separated from the viewer."""
    return MemberCircles(circles=await service.ask(lambda: service.ranker.circles(viewer_id, k)))


@routes.post("/draft")
async def draft(body: Draft, service: OpenService) -> list[Finding]:
    """Return what a draft says that its writer may not want to say; nothing is kept."""
    found = await service.ask(lambda: check_draft(body.text))
    lang = body.lang or service.lang
    support = service.support_words(lang)
    told = {one.kind: advice(one.kind, lang, support=support) for one in found}
    return [Finding(start=one.start, end=one.end, kind=one.kind, advice=told[one.kind]) for one in found]


def json_response(content: BaseModel) -> Response:
    """Return a model as the answer, written once."""
    return Response(content.model_dump_json(), media_type="application/json")
