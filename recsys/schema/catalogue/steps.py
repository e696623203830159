"""What to do at each stage, the three rules and things to talk about, as data."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from recsys.schema.catalogue.entries import LANGUAGES, Entry, Label
from recsys.schema.catalogue.stages import Stages
from recsys.schema.catalogue.yaml_file import YamlFile


@dataclass(frozen=True, slots=True)
class StageSteps:
    """What one stage suggests, and what it advises against."""

    do: tuple[Label, ...]
    avoid: tuple[Label, ...]


@dataclass(frozen=True, eq=False)
class Steps:
    """Next steps by stage, the three rules, how-we-think questions and the words of feeling checks."""

    stages: Mapping[str, StageSteps]
    rules: Mapping[str, Entry]
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
            name: Entry(name, file.label(name, raw))
            for name, raw in file.section(file.content, "rules", LANGUAGES).items()
        },
        topics=_texts(file, "topics.questions", topics.get("questions")),
        topics_from=frozenset(since),
        checks={
            name: file.label(name, raw)
            for name, raw in file.section(file.content, "checks", LANGUAGES).items()
        },
    )


def _texts(file: YamlFile, key: str, raw: object) -> tuple[Label, ...]:
    if not isinstance(raw, Iterable) or isinstance(raw, str) or not raw:
        raise file.error("not a list of texts", key, got=raw)
    return tuple(file.label(key, file.mapping(key, one, LANGUAGES)) for one in raw)
