"""The texts of first messages as data."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from recsys.catalogue.entries import LANGUAGES, CatalogueEntry, Interest, Label, names_in, read_label
from recsys.catalogue.stages import Stages
from recsys.errors import did_you_mean
from recsys.strict_yaml import YamlFile

Variants = tuple[Label, ...]

LABEL: Final = frozenset({"label"})
_NAMED: Final = ("listens", "answer", "light")
_EMPATHY: Final = (*_NAMED, "listens_unnamed", "answer_unnamed")


@dataclass(frozen=True, eq=False)
class Openers:
    """Variants of first messages by what they rest on, and what a first message does not name.

    empathy: `listens`, `light` for topics told with pleasure, `answer`, and `listens_unnamed` and
    `answer_unnamed`. questions: by interest.
    """

    empathy: Mapping[str, Variants]
    openings: Variants
    closings: Variants
    questions: Mapping[str, Variants]
    circle: Variants
    plain: Variants
    unnamed_topics: frozenset[str]
    unnamed_scales: frozenset[str]
    unnamed_interests: frozenset[str]
    light_topics: frozenset[str]

    def questions_about(self, interest: Interest, interests: Mapping[str, Interest]) -> Variants:
        """Return the questions of an interest, else those of the nearest broader one; perhaps none.

        >>> from recsys.catalogue import load_catalogue
        >>> words = load_catalogue()
        >>> about = words.openers.questions_about(words.interests["film_photography"], words.interests)
        >>> about[0].en
        'What are you photographing when you feel most at ease?'
        """
        while interest.id not in self.questions and interest.parent is not None:
            interest = interests[interest.parent]
        return self.questions.get(interest.id, ())


def read_openers(
    file: YamlFile,
    interests: Mapping[str, Interest],
    topics: Mapping[str, object],
    scales: Mapping[str, object],
) -> Openers:
    """Read the openers; raises InputError naming file and key.

    Every interest must reach questions, every variant stands in both languages, and only texts about
    something name a `{label}`.
    """
    content = file.content
    empathy = _section(file, "empathy", _EMPATHY)
    hobby = file.mapping("hobby", content.get("hobby"), ("openings", "closings", "questions"))
    calm = _section(file, "calm", ("circle", "plain"))
    asked = file.mapping("hobby.questions", hobby.get("questions"), interests)
    without = [i.id for i in interests.values() if i.parent is None and i.id not in asked]
    if without:
        raise file.error("an interest without questions", "hobby.questions", got=without[0])
    unnamed = file.mapping("not_named", content.get("not_named"), ("topics", "scales", "interests"))
    return Openers(
        empathy={
            name: _variants(file, f"empathy.{name}", empathy.get(name), named=name in _NAMED)
            for name in _EMPATHY
        },
        openings=_variants(file, "hobby.openings", hobby.get("openings"), named=True),
        closings=_variants(file, "hobby.closings", hobby.get("closings")),
        questions={key: _variants(file, f"hobby.questions.{key}", raw) for key, raw in asked.items()},
        circle=_variants(file, "calm.circle", calm.get("circle")),
        plain=_variants(file, "calm.plain", calm.get("plain")),
        unnamed_topics=_known(file, "not_named.topics", unnamed.get("topics"), topics),
        unnamed_scales=_known(file, "not_named.scales", unnamed.get("scales"), scales),
        unnamed_interests=_known(file, "not_named.interests", unnamed.get("interests"), interests),
        light_topics=_known(file, "light_topics", content.get("light_topics"), topics),
    )


def _section(file: YamlFile, name: str, allowed: tuple[str, ...]) -> dict[str, Any]:
    return file.mapping(name, file.content.get(name), allowed)


def _variants(file: YamlFile, key: str, raw: object, *, named: bool = False) -> Variants:
    if not isinstance(raw, list) or len(raw) < 2:
        raise file.error("fewer than two variants", key, got=raw, remedy="write several, in ja and en")
    found = tuple(
        read_label(file, f"{key}.{number}", file.mapping(f"{key}.{number}", one, LANGUAGES))
        for number, one in enumerate(raw, start=1)
    )
    for label in found:
        if names_in(label.ja) != (LABEL if named else frozenset()):
            wanted = "name {label} once" if named else "take the braces out"
            raise file.error(
                "a text names the wrong values", key, got=sorted(names_in(label.ja)), remedy=wanted
            )
    return found


def _known(file: YamlFile, key: str, raw: object, known: Mapping[str, object]) -> frozenset[str]:
    if not isinstance(raw, list):
        raise file.error("not a list of words", key, got=raw)
    for word in raw:
        if word not in known:
            raise file.error("unknown word", key, str(word), did_you_mean(str(word), known))
    return frozenset(raw)


@dataclass(frozen=True, slots=True)
class StageSteps:
    """What one stage suggests, and what it advises against."""

    do: tuple[Label, ...]
    avoid: tuple[Label, ...]


@dataclass(frozen=True, eq=False)
class Steps:
    """Next steps by stage, the three rules, how-we-think questions and the words of feeling checks."""

    stages: Mapping[str, StageSteps]
    rules: Mapping[str, CatalogueEntry]
    topics: tuple[Label, ...]
    topics_from: frozenset[str]
    checks: Mapping[str, Label]


def read_steps(file: YamlFile, stages: Stages) -> Steps:
    """Read the steps; raises InputError naming file and key when a stage has none."""
    steps = file.section(file.content, "stages", ("do", "avoid"))
    for name in {*steps} ^ {*stages.names}:
        raise file.error("every stage has steps, and no other", "stages", got=name)
    topics = file.mapping("topics", file.content.get("topics"), ("from", "questions"))
    since = topics.get("from")
    if not isinstance(since, list) or not set(since) <= set(stages.names):
        raise file.error("not a list of stages", "topics.from", got=since)
    return Steps(
        stages={
            name: StageSteps(_texts(file, f"{name}.do", raw.get("do")), _texts(file, name, raw.get("avoid")))
            for name, raw in steps.items()
        },
        rules={
            name: CatalogueEntry(name, read_label(file, name, raw))
            for name, raw in file.section(file.content, "rules", LANGUAGES).items()
        },
        topics=_texts(file, "topics.questions", topics.get("questions")),
        topics_from=frozenset(since),
        checks={
            name: read_label(file, name, raw)
            for name, raw in file.section(file.content, "checks", LANGUAGES).items()
        },
    )


def _texts(file: YamlFile, key: str, raw: object) -> tuple[Label, ...]:
    if not isinstance(raw, Iterable) or isinstance(raw, str) or not raw:
        raise file.error("not a list of texts", key, got=raw)
    return tuple(read_label(file, key, file.mapping(key, one, LANGUAGES)) for one in raw)
