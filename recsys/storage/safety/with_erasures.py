"""A safety store that also asks the list of erasures of what is served."""

from collections.abc import Sequence
from datetime import datetime

from recsys.storage.erasures import ErasureList
from recsys.storage.safety.store import SafetyStore, Standing


class WithErasures:
    """Asks `store`, and takes out whoever `recsys forget` was told of since."""

    def __init__(self, store: SafetyStore, erasures: ErasureList) -> None:
        self._store, self.erasures = store, erasures

    def standing(self, viewer: str, candidates: Sequence[str]) -> Standing:
        """Return how `viewer` and `candidates` stand now."""
        known, erased = self._store.standing(viewer, candidates), self.erasures.now()
        if not len(erased):
            return known
        out = {user for user, gone in zip(candidates, erased.holds(candidates), strict=True) if gone}
        return Standing(known.viewer_out or bool(erased.holds([viewer])[0]), known.out | out)

    def erased_since(self, moment: datetime | None) -> frozenset[str]:
        """Return whom the store knows to be erased; the list cannot name anybody."""
        return self._store.erased_since(moment)

    def block(self, actor: str, target: str, at: datetime | None = None) -> None:
        """Keep two people apart for good."""
        self._store.block(actor, target, at)

    def report(self, actor: str, target: str, at: datetime | None = None) -> None:
        """Keep two people apart because one reported the other."""
        self._store.report(actor, target, at)

    def hold(self, user_id: str, at: datetime | None = None) -> None:
        """Take a person out of everybody's sight until the hold is lifted."""
        self._store.hold(user_id, at)

    def lift(self, user_id: str) -> None:
        """End a hold."""
        self._store.lift(user_id)

    def erase(self, user_id: str, at: datetime | None = None) -> None:
        """Take a person out of everybody's sight for good, in the store and in the list."""
        self._store.erase(user_id, at)
        self.erasures.add([user_id], at)
