"""Routes for what happens by day: a member's own events, pauses and leaving, and what the backend writes."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import AwareDatetime, BaseModel, Field

from recsys.errors import RecsysError
from recsys.http.access import PERMITS_BACKEND, PERMITS_MEMBERS, OpenService
from recsys.http.failures import without_values
from recsys.http.member_routes import REFUSALS, Body
from recsys.http.page_models import Lang, PageOfPeople
from recsys.http.refused_bodies import OF_MEMBER, KeepsRestrictions, MemberType
from recsys.ranking.profile_tables import problems_of, tables_of_values
from recsys.ranking.ranker import LONGEST_PAGE
from recsys.safety.day_log import DayEvent

members = APIRouter(
    prefix="/v1/members/{viewer_id}",
    tags=["day"],
    dependencies=[Depends(PERMITS_MEMBERS)],
    responses=REFUSALS,
    route_class=KeepsRestrictions,
)
backend = APIRouter(
    prefix="/v1/backend",
    tags=["backend"],
    dependencies=[Depends(PERMITS_BACKEND)],
    responses=REFUSALS,
    route_class=KeepsRestrictions,
)


class MemberEvent(Body):
    """Something a member did; the same `event_id` of a member again does nothing."""

    event_id: str = Field(min_length=1, max_length=120, examples=["like-7f3a"])
    type: MemberType
    person: str | None = Field(default=None, examples=["m0000012"])
    detail: str | None = Field(default=None, description="As in the events table: safe_again, photo ...")
    count: int | None = Field(default=None, ge=1, description="Messages, of a message.")
    at: AwareDatetime | None = Field(default=None, description="When it happened; now when null.")

    def event(self, actor: str) -> DayEvent:
        """Return the event as the day log keeps it."""
        at = datetime.now(UTC) if self.at is None else self.at
        return DayEvent(
            f"{OF_MEMBER}{self.event_id}", at, actor, self.person, self.type, self.detail, self.count
        )


class AnyEvent(Body):
    """Something anybody did, with the columns of the events table."""

    event_id: str = Field(min_length=1, max_length=128)
    actor: str
    target: str | None = None
    type: str = Field(examples=["verified"])
    detail: str | None = None
    count: int | None = None
    at: AwareDatetime

    def event(self) -> DayEvent:
        """Return the event as the day log keeps it."""
        return DayEvent(self.event_id, self.at, self.actor, self.target, self.type, self.detail, self.count)


class Kept(BaseModel):
    """How many of the events were new."""

    new: int


class KeptTables(Kept):
    """Whether the tables were new, and which of their rows cannot be used, by table, column and reason.

    They are kept either way, and restrict as far as they can be read. Empty where all can be used. Rows of
    other tables are left out alone; whose profile or boundaries cannot be used is shown to nobody.
    """

    unusable: str = ""


@members.post("/events")
async def happened(
    viewer_id: str, body: Annotated[list[MemberEvent], Field(max_length=1000)], service: OpenService
) -> Kept:
    """Keep what a member did: it counts in the next call of every worker; all is kept or nothing."""
    events = [one.event(viewer_id) for one in body]
    return Kept(new=await service.ask(lambda: service.ranker.day.append(events)))


@members.post("/pause", status_code=204)
async def pause(viewer_id: str, service: OpenService) -> None:
    """Take a member out of everybody's sight until they resume."""
    await service.ask(lambda: service.ranker.day.pause(viewer_id))


@members.post("/resume", status_code=204)
async def resume(viewer_id: str, service: OpenService) -> None:
    """End a member's pause."""
    await service.ask(lambda: service.ranker.day.resume(viewer_id))


@members.post("/leave", status_code=204)
async def leave(viewer_id: str, service: OpenService) -> None:
    """Take a member who leaves out of everybody's sight."""
    await service.ask(lambda: service.ranker.day.leave(viewer_id))


class TablesBody(Body):
    """A member's own tables of today, whole: rows by table name, as the night reads them."""

    event_id: str = Field(min_length=1, max_length=128)
    tables: dict[str, list[dict[str, Any]]]


class Hold(Body):
    """A hold: who set it and why, in words without a person in them."""

    person: str
    owner: str = Field(default="operator", examples=["case-31"])
    reason: str = ""


class PersonBody(Body):
    """One member."""

    person: str


@backend.post("/events")
async def append(body: Annotated[list[AnyEvent], Field(max_length=10_000)], service: OpenService) -> Kept:
    """Keep events of anybody, all or none but for what restricts; replaying them does nothing."""
    events = [one.event() for one in body]
    return Kept(new=await service.ask(lambda: service.ranker.day.append(events)))


@backend.put("/members/{viewer_id}/tables")
async def tables(viewer_id: str, body: TablesBody, service: OpenService) -> KeptTables:
    """Keep a member's own tables of today: the member's page is searched by them from now on."""
    ranker = service.ranker
    new = await service.ask(lambda: ranker.day.change_tables(viewer_id, body.tables, event_id=body.event_id))
    given = tables_of_values(body.tables)
    return KeptTables(new=new, unusable=await service.ask(lambda: problems_of(given, ranker.catalogue)))


@backend.post("/holds", status_code=204)
async def hold(body: Hold, service: OpenService) -> None:
    """Take somebody out of everybody's sight until this hold and every other is lifted."""
    safety = service.ranker.safety
    await service.ask(lambda: safety.hold(body.person, owner=body.owner, reason=body.reason))


@backend.post("/holds/lift", status_code=204)
async def lift(body: Hold, service: OpenService) -> None:
    """End the holds of one owner."""
    safety, reason = service.ranker.safety, body.reason or None
    await service.ask(lambda: safety.lift(body.person, owner=body.owner, reason=reason))


@backend.post("/erasures", status_code=204)
async def erase(body: PersonBody, service: OpenService) -> None:
    """Take somebody out of everybody's sight for good; `recsys forget` erases them from what is kept."""
    await service.ask(lambda: service.ranker.safety.erase(body.person))


class Many(Body):
    """Viewers whose pages are wanted, for a morning mail."""

    viewers: list[str] = Field(max_length=1000)
    k: int = Field(default=10, ge=1, le=LONGEST_PAGE)
    lang: Lang | None = None


class OneOfMany(BaseModel):
    """A viewer's page, or what is wrong with asking for it."""

    page: PageOfPeople | None
    error: str | None


@backend.post("/pages")
async def pages(body: Many, service: OpenService) -> list[OneOfMany]:
    """Return a page for each viewer, in order; a wrong id loses no other page."""
    found = await service.ask(lambda: service.ranker.rank_many(body.viewers, body.k))
    catalogue = service.ranker.catalogue
    return [
        OneOfMany(page=None, error=without_values(str(one)))
        if isinstance(one, RecsysError)
        else OneOfMany(page=PageOfPeople.of(one, body.lang or service.lang, catalogue), error=None)
        for one in found
    ]
