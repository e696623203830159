"""Everybody who listens to a ranker; none of them can break a call."""

from collections.abc import Callable, Sequence

import structlog

from recsys.ranking.hooks import Call, Hooks, Load

_log = structlog.get_logger(__name__)


class Listeners:
    """Hands calls and loads to hooks, and outlives what they raise."""

    def __init__(self, hooks: Sequence[Hooks] = ()) -> None:
        self._hooks = tuple(hooks)

    def called(self, call: Call) -> None:
        """Tell everybody of a call."""
        for hook in self._hooks:
            _safely(lambda hook=hook: hook.on_call(call))  # type: ignore[misc]

    def loaded(self, load: Load) -> None:
        """Tell everybody of a load."""
        for hook in self._hooks:
            _safely(lambda hook=hook: hook.on_load(load))  # type: ignore[misc]


def _safely(tell: Callable[[], object]) -> None:
    try:
        tell()
    except Exception as error:  # metrics never fail a call
        _log.warning("a hook failed", error=type(error).__name__)
