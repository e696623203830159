"""The stages of a pair as data: what each needs, and from which one a field may be shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.entries import LANGUAGES, CatalogueEntry, Label, Language, read_label
from recsys.catalogue.vocabulary import ENUMERATIONS, EVENT_DETAILS
from recsys.errors import InputError, did_you_mean, explained
from recsys.strict_yaml import YamlFile

UNLISTED: Final = "unlisted"
CLOSED: Final = "closed"

FACTS: Final = (
    "both_accepted_terms",
    "both_proved_age",
    "both_liked",
    "wrote_for_days",
    "replied_each",
    "nothing_flagged",
    "both_opted_in_to_meet",
    "both_proved_identity",
    "both_agreed_rules",
    "both_met_safely",
    "ended",
)
"""What can be read off events about a pair. Money, account age and popularity are not among them."""

DISCLOSURES: Final = ENUMERATIONS[C.DISCLOSURE].words
NUMBERS: Final = ("days_of_writing", "replies_each", "check_days")


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage and the facts needed to enter it, on top of those of every earlier stage."""

    name: str
    label: Label
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShownField:
    """One thing that may be shown from the stage `since` on.

    reason: the kind of reason that is made of it, if any. disclosure: how open both must be; optin:
    what both must have opted in to; None where nothing more than the stage is needed.
    """

    name: str
    label: Label
    since: str
    reason: str | None
    disclosure: str | None
    optin: str | None


@dataclass(frozen=True, eq=False)
class Stages:
    """The stages in order, `closed` last, and what may be shown from which on."""

    stages: Mapping[str, Stage]
    fields: Mapping[str, ShownField]
    never: Mapping[str, CatalogueEntry]
    days_of_writing: float
    replies_each: int
    check_days: float

    @property
    def names(self) -> tuple[str, ...]:
        """Every stage in order; codes of stages are positions in this."""
        return tuple(self.stages)

    @cached_property
    def _codes(self) -> Mapping[str, int]:
        return {name: code for code, name in enumerate(self.stages)}

    @cached_property
    def forward(self) -> tuple[Stage, ...]:
        """The stages a pair goes through, first to last; `closed` is none of them."""
        return tuple(stage for stage in self.stages.values() if stage.name != CLOSED)

    def code(self, name: str) -> int:
        """Return the position of a stage in `names`.

        Raises InputError for an unknown stage.

        >>> from recsys.catalogue import load_catalogue
        >>> load_catalogue().stages.code("matched")
        2
        """
        code = self._codes.get(name)
        if code is None:
            raise InputError(explained("unknown stage", got=name, remedy=did_you_mean(name, self.stages)))
        return code

    def label(self, name: str, lang: Language = "ja") -> str:
        """Return the name of a stage for people."""
        self.code(name)
        return self.stages[name].label.text(lang)

    def shows(self, name: str) -> frozenset[str]:
        """Return the fields a stage may show, before the wishes of the two are asked.

        >>> from recsys.catalogue import load_catalogue
        >>> stages = load_catalogue().stages
        >>> sorted(stages.shows("matched") - stages.shows("listed")), sorted(stages.shows("closed"))
        (['common_hours'], [])
        """
        if name == CLOSED:
            return frozenset()
        reached = self.code(name)
        return frozenset(field.name for field in self.fields.values() if self.code(field.since) <= reached)

    @cached_property
    def reasons(self) -> Mapping[str, frozenset[str]]:
        """The kinds of reason each stage may show."""
        return {
            name: frozenset(kind for field in self.shows(name) if (kind := self.fields[field].reason))
            for name in self.names
        }


def read_stages(file: YamlFile) -> Stages:
    """Read the stages; raises InputError naming file and key for an unknown stage, fact or wish."""
    stages = {
        name: Stage(name, read_label(file, name, raw), _needs(file, name, raw.get("needs")))
        for name, raw in file.section(file.content, "stages", (*LANGUAGES, "needs")).items()
    }
    if not stages or next(iter(stages)) != UNLISTED or list(stages)[-1] != CLOSED:
        raise file.error("stages begin with unlisted and end with closed", "stages", got=list(stages))
    fields = {
        name: _field(file, name, raw, stages)
        for name, raw in file.section(file.content, "shows", (*LANGUAGES, "from", "reason", "wishes")).items()
    }
    never = {
        name: CatalogueEntry(name, read_label(file, name, raw))
        for name, raw in file.section(file.content, "never", LANGUAGES).items()
    }
    if both := sorted(set(never) & set(fields)):
        raise file.error("a field that is never shown", "shows", got=both[0], remedy="take it out of one")
    numbers = file.mapping("numbers", file.content.get("numbers"), NUMBERS)
    days, replies, check = (file.number("numbers", numbers, name, 1, 365) for name in NUMBERS)
    return Stages(stages, fields, never, days, int(replies), check)


def _needs(file: YamlFile, stage: str, raw: object) -> tuple[str, ...]:
    if not isinstance(raw, list):
        raise file.error("needs are not a list of facts", stage, got=raw)
    for fact in raw:
        if fact not in FACTS:
            raise file.error("unknown fact", stage, str(fact), did_you_mean(str(fact), FACTS))
    return tuple(raw)


def _field(file: YamlFile, name: str, raw: Mapping[str, Any], stages: Mapping[str, Stage]) -> ShownField:
    since, wishes = raw.get("from"), raw.get("wishes", {})
    if since not in stages or since in (UNLISTED, CLOSED):
        raise file.error(
            "no stage to be shown from", name, got=since, remedy=did_you_mean(str(since), stages)
        )
    file.mapping(f"{name}.wishes", wishes, ("disclosure", "optin"))
    disclosure, optin = wishes.get("disclosure"), wishes.get("optin")
    if disclosure is not None and disclosure not in DISCLOSURES:
        raise file.error("unknown disclosure", name, got=disclosure)
    if optin is not None and optin not in EVENT_DETAILS["optin"]:
        raise file.error("unknown opt-in", name, got=optin)
    return ShownField(name, read_label(file, name, raw), str(since), raw.get("reason"), disclosure, optin)
