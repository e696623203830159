"""What a hybrid model is made with."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from recsys.errors import did_you_mean
from recsys.models.behaviour_config import BehaviourConfig
from recsys.models.content_config import ContentConfig


@dataclass(frozen=True)
class HybridConfig(BehaviourConfig):
    """Settings of the hybrid: those of behaviour, and `content` for the model beneath.

    `content` may be given as a mapping of its settings.

    >>> HybridConfig(content={"folds": 2}).content.folds
    2
    """

    content: ContentConfig = field(default_factory=ContentConfig)

    def __post_init__(self) -> None:
        given: Any = self.content
        if isinstance(given, Mapping):
            known = {one.name for one in fields(ContentConfig)}
            unknown = sorted(set(given) - known)
            if unknown:
                raise TypeError(f"unknown key '{unknown[0]}' in content; {did_you_mean(unknown[0], known)}")
            settings = {key: _tuples(value) for key, value in given.items()}
            object.__setattr__(self, "content", ContentConfig(**settings))


def _tuples(value: Any) -> Any:
    return tuple(_tuples(part) for part in value) if isinstance(value, list) else value
