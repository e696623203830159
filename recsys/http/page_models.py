"""What the service answers, as pydantic models: of them the OpenAPI document is made, and typed clients."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from recsys.catalogue.catalogue import Catalogue
from recsys.messaging.reasons import reason_text_or_none
from recsys.ranking.response_and_receipt import Item, Page

Lang = Literal["ja", "en"]


class Reason(BaseModel):
    """Why somebody is shown: a code, and its words in the language asked for."""

    code: str = Field(examples=["interest:tea"])
    text: str = Field(examples=["お茶が共通の関心です"])

    @classmethod
    def of(cls, code: str, lang: Lang, catalogue: Catalogue) -> "list[Reason]":
        """Return a reason in words; nothing for a code that has none, which must not cost the page."""
        text = reason_text_or_none(code, lang, catalogue)
        return [] if text is None else [cls(code=code, text=text)]


class PersonShown(BaseModel):
    """One person to show, with what both may see at their stage."""

    id: str = Field(examples=["m0000012"])
    rank: int = Field(examples=[1], description="Place on the page, from 1.")
    stage: str = Field(examples=["listed"])
    reasons: list[Reason]
    icebreaker_kind: str | None = Field(examples=["hobby"])
    expires_at: datetime = Field(description="Ask anew after that.")

    @classmethod
    def of(cls, item: Item, lang: Lang, catalogue: Catalogue) -> "PersonShown":
        """Return one item of a page in words."""
        return cls(
            id=item.candidate_id,
            rank=item.rank,
            stage=item.stage,
            reasons=[one for code in item.reasons for one in Reason.of(code, lang, catalogue)],
            icebreaker_kind=item.icebreaker_kind,
            expires_at=item.expires_at,
        )


class PageOfPeople(BaseModel):
    """People for one viewer, best first, never padded; hand `receipt` back when people were really shown."""

    people: list[PersonShown]
    run_id: str
    data_as_of: datetime
    degraded: bool = Field(
        description="An older publication is served, since the newest could not be loaded."
    )
    receipt: str = Field(description="Signed; keep it as it is.")
    next: str | None = Field(description="What to give as `after` for the next page; null on the last one.")

    @classmethod
    def of(cls, page: Page, lang: Lang, catalogue: Catalogue) -> "PageOfPeople":
        """Return a page in words."""
        return cls(
            people=[PersonShown.of(item, lang, catalogue) for item in page.items],
            run_id=page.receipt.run_id,
            data_as_of=page.data_as_of,
            degraded=page.degraded,
            receipt=page.receipt.to_json(),
            next=page.next,
        )


class Failure(BaseModel):
    """What went wrong, and what to do about it; nothing that was sent in is repeated."""

    code: str = Field(examples=["bad_input"])
    message: str = Field(examples=["k is a whole number from 1 to 1000"])


class FailureAnswer(BaseModel):
    """The body of every answer that is no success."""

    error: Failure
