"""A fitted block as plain values: applying it needs numpy alone."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from recsys.data.population import Population
from recsys.features.rows import BlockRows


class AppliedBlock(ABC):
    """What a block learned: a frozen dataclass whose fields are arrays or JSON values.

    Subclasses are frozen dataclasses; array fields are saved as arrays, every other as JSON (lists
    come back as tuples). `from_events` says that the rows follow from what people did.
    """

    defined: ClassVar[dict[str, type["AppliedBlock"]]] = {}
    """Every subclass by its name, so that what was saved finds its class; the last one counts."""
    name: ClassVar[str]
    from_events: ClassVar[bool] = False
    __dataclass_fields__: ClassVar[dict[str, Any]]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "name" in vars(cls):
            AppliedBlock.defined[cls.name] = cls

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """The name of each column, unique inside the block."""

    @abstractmethod
    def rows(self, people: Population) -> BlockRows:
        """Return the two rows of everybody in `people`, seen at fit or not."""

    def for_newcomers(self) -> Self:
        """Return the block without anything about the people of the fit, to be applied to others."""
        return self

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return the array fields."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}

    def meta(self) -> dict[str, Any]:
        """Return the other fields, all JSON values."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if not isinstance(value, np.ndarray)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], meta: Mapping[str, Any]) -> Self:
        """Build again what `arrays` and `meta` returned."""
        return cls(**arrays, **{name: _tuples(value) for name, value in meta.items()})


def _tuples(value: Any) -> Any:
    return tuple(_tuples(part) for part in value) if isinstance(value, list | tuple) else value
