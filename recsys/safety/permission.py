"""What operators may ask and members may not, and who let them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from recsys.errors import InputError, NotPermittedError, explained

LONGEST: Final = timedelta(hours=8)


@dataclass(frozen=True, eq=False, slots=True)
class OperatorPermission:
    """Lets one operator look into pairs for a stated purpose until a time; made by an `OperatorGate`."""

    operator: str
    purpose: str
    until: datetime


class OperatorGate:
    """Gives permissions, and knows its own: a ranker opened with a gate takes that gate's alone.

    Keep it where members' requests cannot reach it.

    >>> gate = OperatorGate()
    >>> permission = gate.permit("op-7", purpose="appeal 31", minutes=10)
    >>> gate.check(permission, datetime.now(UTC))
    """

    def __init__(self) -> None:
        self._kept: list[OperatorPermission] = []

    def permit(self, operator: str, *, purpose: str, minutes: float = 15.0) -> OperatorPermission:
        """Return a permission that ends by itself.

        Raises InputError without an operator or a purpose, or for a time beyond eight hours.
        """
        length = timedelta(minutes=minutes)
        if not operator or not purpose.strip():
            raise InputError(explained("a permission names an operator and a purpose"))
        if not timedelta(0) < length <= LONGEST:
            raise InputError(
                explained("a permission lasts at most eight hours", where="minutes", got=minutes)
            )
        now = datetime.now(UTC)
        permission = OperatorPermission(operator, purpose, now + length)
        self._kept = [one for one in self._kept if one.until > now] + [permission]
        return permission

    def check(self, permission: object, now: datetime) -> None:
        """Raise NotPermittedError unless this gate gave `permission` and it has not ended."""
        mine = isinstance(permission, OperatorPermission) and any(permission is one for one in self._kept)
        if not mine or not isinstance(permission, OperatorPermission) or permission.until <= now:
            raise NotPermittedError(
                explained("not permitted", remedy="ask the operators' gate for permission")
            )
