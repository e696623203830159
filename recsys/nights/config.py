"""What many nights are played with."""

from dataclasses import dataclass
from typing import Final

from recsys.errors import SettingsError, did_you_mean, explained

POLICIES: Final = ("random", "popularity", "naive", "product", "welfare", "nash")
"""Ways to make lists out of a pool: see `recsys.nights.policies`."""

SCORES: Final = ("hybrid", "content", "popularity", "oracle")
"""Where probabilities come from: a model that learns from events, or the town's hidden truth."""


@dataclass(frozen=True)
class NightsConfig:
    """How long, with which lists, and from which probabilities.

    nights:   how many. policies: which lists, each in its own copy of the town.
    k:        people in a list. pool: people a list is chosen from, the best by mutual probability.
    scores:   a model, fitted on the past and again every `refit` nights (0: never) on what happened
              in the policy's own copy; or `oracle`, the hidden truth, for experiments on noise alone.
    noise:    standard deviation, in logits, of what is added to the truth for each directed pair.
    baseline: the policy that the others are compared with.

    Raises SettingsError for an unknown name or an impossible number.

    >>> NightsConfig(policies=("product", "welfare")).nights
    30
    """

    nights: int = 30
    policies: tuple[str, ...] = ("random", "product", "welfare", "nash")
    k: int = 10
    pool: int = 200
    scores: str = "hybrid"
    refit: int = 10
    noise: float = 0.0
    baseline: str = "product"

    def __post_init__(self) -> None:
        for name in self.policies:
            _known("policy", name, POLICIES)
        _known("scores", self.scores, SCORES)
        if len(set(self.policies)) < len(self.policies) or not self.policies:
            raise SettingsError(explained("name each policy once", where="policies", got=self.policies))
        for name, least in (("nights", 1), ("k", 1), ("pool", self.k), ("refit", 0), ("noise", 0.0)):
            if not getattr(self, name) >= least:
                got, remedy = getattr(self, name), f"use {least} or more"
                raise SettingsError(explained("impossible number", where=name, got=got, remedy=remedy))
        if self.noise > 0.0 and self.scores != "oracle":
            remedy = "use scores='oracle', or leave noise at 0"
            raise SettingsError(
                explained("noise is added to the truth alone", got=self.scores, remedy=remedy)
            )


def _known(what: str, name: str, names: tuple[str, ...]) -> None:
    if name not in names:
        raise SettingsError(explained(f"unknown {what}", got=name, remedy=did_you_mean(name, names)))
