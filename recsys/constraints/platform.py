"""The four conditions of a safe platform, declared by the operator; without all four nothing is published."""

from dataclasses import dataclass, fields

from recsys.errors import PublicationRefusedError, explained


@dataclass(frozen=True)
class PlatformDeclaration:
    """What the operator declares to be in place. Nothing is assumed: every condition starts as no.

    >>> PlatformDeclaration(identity_and_age_checked=True).missing()
    ('report_and_block', 'partnered_members_welcome_in_writing', 'support_contact')
    """

    identity_and_age_checked: bool = False
    report_and_block: bool = False
    partnered_members_welcome_in_writing: bool = False
    support_contact: bool = False

    def missing(self) -> tuple[str, ...]:
        """Return the names of the conditions not declared."""
        return tuple(field.name for field in fields(self) if getattr(self, field.name) is not True)

    def require(self) -> None:
        """Raise PublicationRefusedError when a condition is missing, naming every one."""
        missing = self.missing()
        if missing:
            remedy = "put it in place, then declare it in the platform settings"
            got = ", ".join(missing)
            raise PublicationRefusedError(
                explained("platform conditions not declared", got=got, remedy=remedy)
            )
