"""Answers must fit their question, and a mandatory one must be fair to ask."""

from collections.abc import Iterator

import numpy as np

from recsys.errors import explained
from recsys.schema.catalogue import load_catalogue
from recsys.schema.columns import Columns as C
from recsys.schema.contract import Context, positions
from recsys.schema.fields.field import Fault


def fits_question(context: Context) -> Iterator[Fault]:
    """Refuse answers, given or accepted, that their question does not have."""
    rows = context.sound_rows
    questions = load_catalogue().questions
    options = {name: frozenset(question.answers) for name, question in questions.items()}
    for column in (C.ANSWER, C.ACCEPTED):
        pairs = zip(rows[C.QUESTION], rows[column], strict=True)
        wrong = [not options[question].issuperset(_given(answer)) for question, answer in pairs]
        found = rows[np.array(wrong, bool)]
        reasons = np.fromiter(
            (
                explained("not an answer to its question", where=column, remedy=_choices(q, options[q]))
                for q in found[C.QUESTION]
            ),
            object,
            len(found),
        )
        yield Fault(f"{column}.not_an_option", positions(found), reasons)


def _given(answer: str | tuple[str, ...] | None) -> tuple[str, ...]:
    if answer is None:
        return ()
    return (answer,) if isinstance(answer, str) else answer


def _choices(question: str, options: frozenset[str]) -> str:
    return f"'{question}' has {', '.join(sorted(options))}"


def fair_to_ask(context: Context) -> Iterator[Fault]:
    """Refuse sensitive answers without consent, and mandatory ones that are private, sensitive or open."""
    rows = context.sound_rows
    sensitive = frozenset(q.id for q in load_catalogue().questions.values() if q.sensitive)
    is_sensitive = rows[C.QUESTION].isin(sensitive)
    mandatory = rows[C.MANDATORY].astype(bool)
    for rule, wrong, what, remedy in (
        (
            f"{C.CONSENT}.missing",
            is_sensitive & rows[C.CONSENT].isna(),
            "a sensitive question without consent",
            "give the consent_id of the person's consent, or leave the answer out",
        ),
        (
            f"{C.MANDATORY}.sensitive",
            mandatory & is_sensitive,
            "a sensitive question may not be mandatory",
            "set mandatory to false",
        ),
        (
            f"{C.MANDATORY}.private",
            mandatory & rows[C.VISIBILITY].ne("public"),
            "only a public answer may be mandatory",
            "set visibility to public or mandatory to false",
        ),
        (
            f"{C.MANDATORY}.open",
            mandatory & rows[C.ACCEPTED].isna(),
            "a mandatory question without accepted answers",
            "name the accepted answers",
        ),
    ):
        yield Fault(
            rule, positions(rows[wrong]), explained(what, where=rule.partition(".")[0], remedy=remedy)
        )
