"""What a stage suggests and advises against, the three rules, and things to talk about."""

from dataclasses import dataclass

from recsys.catalogue.entries import Language
from recsys.catalogue.loading import load_catalogue


@dataclass(frozen=True, slots=True)
class NextSteps:
    """Texts for one person at one stage.

    rules: the three that both agree to, shown from the stage on in which they are agreed. topics: questions
    about how one thinks.

    >>> NextSteps("listed", ("Rest.",), (), (), ()).do
    ('Rest.',)
    """

    stage: str
    do: tuple[str, ...]
    avoid: tuple[str, ...]
    rules: tuple[str, ...]
    topics: tuple[str, ...]


def next_steps(stage: str, lang: Language = "ja") -> NextSteps:
    """Return what to do at a stage and what to leave for later.

    Raises InputError for an unknown stage.

    >>> next_steps("meeting", "en").do[0]
    'Meet for the first time by day, in a cafe or at lunch.'
    >>> len(next_steps("acquainted").rules), len(next_steps("matched").rules)
    (3, 0)
    """
    words = load_catalogue()
    words.stages.code(stage)
    steps, talks = words.steps.stages[stage], stage in words.steps.topics_from
    return NextSteps(
        stage=stage,
        do=tuple(label.text(lang) for label in steps.do),
        avoid=tuple(label.text(lang) for label in steps.avoid),
        rules=tuple(rule.label.text(lang) for rule in words.steps.rules.values()) if talks else (),
        topics=tuple(label.text(lang) for label in words.steps.topics) if talks else (),
    )
