"""What changed between two catalogues: questions, options, interests and topics, by id."""

from collections.abc import Mapping
from dataclasses import dataclass

from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.preference_words import WISHES
from recsys.catalogue.text_folding import spelling


@dataclass(frozen=True)
class Change:
    """One difference of two catalogues: part, what happened (added, removed, renamed, merged, retired), id.

    loses: whether answers or choices that people gave are not read any more.
    """

    part: str
    what: str
    id: str
    into: str | None = None
    loses: bool = False


def catalogue_diff(old: Catalogue, new: Catalogue) -> tuple[Change, ...]:
    """Return what changes from one catalogue to another, what loses answers first.

    >>> one = Catalogue.of(topics=[{"topic": "tea", "label": "Tea"}, {"topic": "pets", "label": "Pets"}])
    >>> two = Catalogue.of(topics=[{"topic": "pets", "label": "Pets"}])
    >>> catalogue_diff(one, two)
    (Change(part='topics', what='removed', id='tea', into=None, loses=True),)
    """
    changes = [
        *_part_diff("questions", old.questions, new.questions, new.renames.questions),
        *_part_diff("topics", old.topics, new.topics, new.renames.topics),
        *_part_diff("interests", old.interests, new.interests, _interest_renames(old, new)),
    ]
    for column in WISHES:
        words, later = (dict.fromkeys(one.vocabulary(column)) for one in (old, new))
        changes += _part_diff(column, words, later, {})
    for key, question in old.questions.items():
        after = new.questions.get(new.renames.questions.get(key, key))
        if after is None:
            continue
        if after.retired and not question.retired:
            changes.append(Change("questions", "retired", key))
        moved = {before: to for (of, before), to in new.renames.options.items() if of == after.id}
        own, kept = (dict.fromkeys(q.answers) for q in (question, after))
        changes += [
            Change("options", change.what, f"{key}.{change.id}", change.into, change.loses)
            for change in _part_diff("options", own, kept, moved)
        ]
    return tuple(sorted(changes, key=lambda change: not change.loses))


def _part_diff(
    part: str, old: Mapping[str, object], new: Mapping[str, object], renames: Mapping[str, str]
) -> list[Change]:
    changes = []
    for key in old:
        if key in new:
            continue
        into = renames.get(key)
        taken = into is not None and into in new
        what = "removed" if not taken else "merged" if into in old else "renamed"
        changes.append(Change(part, what, key, into if taken else None, loses=not taken))
    taken_over = {change.into for change in changes}
    return changes + [Change(part, "added", key) for key in new if key not in old and key not in taken_over]


def _interest_renames(old: Catalogue, new: Catalogue) -> dict[str, str]:
    return {
        key: new.spellings[spelling(key)]
        for key in old.interests
        if key not in new.interests and spelling(key) in new.spellings
    }
