"""What every group of town settings has in common."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A frozen group of settings that refuses unknown keys and numbers that are not finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _sums_to_one(shares: dict[str, float]) -> dict[str, float]:
    total = sum(shares.values())
    if abs(total - 1.0) > 1e-6:
        raise ValueError(f"shares of one whole must add up to 1, these add up to {total:.6g}")
    return shares


Share = Annotated[float, Field(ge=0.0, le=1.0)]
"""A probability or a part of a whole."""

Chances = dict[str, Share]
"""Word to the chance that it is in a set; each word is drawn on its own."""

Shares = Annotated[dict[str, Share], AfterValidator(_sums_to_one)]
"""Word to its share of people; the shares add up to 1."""

Positive = Annotated[float, Field(gt=0.0)]
