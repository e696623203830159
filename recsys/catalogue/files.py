"""A service's own catalogue as a folder of YAML or plain CSV, and what changes between two of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from recsys.catalogue.catalogue import Catalogue, catalogue_from_json
from recsys.catalogue.entries import LANGUAGES
from recsys.catalogue.preference_words import WISHES
from recsys.catalogue.rows import CONTENT_COLUMNS, Row, csv_rows, yaml_rows
from recsys.catalogue.text_folding import fold, spelling
from recsys.errors import InputError, did_you_mean, explained
from recsys.strict_yaml import parse_yaml

CATALOGUE_JSON: Final = "catalogue.json"
"""A catalogue beside the tables that were read with it."""
_SETTINGS: Final = "catalogue.yaml"


def open_catalogue(path: str | Path) -> Catalogue:
    """Return the catalogue in a folder, or in a file that `catalogue_json` wrote.

    A folder holds `questions`, `options`, `interests`, `topics`, `importance` and `words` as `.csv` or
    `.yaml`, each optional, and may hold `catalogue.yaml` with `extends: builtin`.

    Raises InputError naming every problem.
    """
    folder = Path(path)
    if folder.is_file():
        return catalogue_from_json(folder.read_bytes())
    if not folder.is_dir():
        remedy = "name a folder with questions.csv or questions.yaml"
        raise InputError(explained("no catalogue is there", where=str(folder), remedy=remedy))
    if (folder / CATALOGUE_JSON).is_file():
        return catalogue_from_json((folder / CATALOGUE_JSON).read_bytes())
    tables: dict[str, list[Row]] = {}
    extends = False
    for file in sorted(folder.iterdir()):
        if file.name == _SETTINGS:
            extends = _extends(file)
        elif file.suffix in {".csv", ".yaml"}:
            _add_table(file, tables)
    if not tables:
        remedy = "write questions.csv with question_id and label"
        raise InputError(explained("no catalogue is there", where=str(folder), remedy=remedy))
    return Catalogue.of(**tables, extends="builtin" if extends else None)


def _extends(file: Path) -> bool:
    raw = parse_yaml(file.read_bytes(), where=str(file))
    if not isinstance(raw, dict) or set(raw) != {"extends"} or raw["extends"] not in ("builtin", None):
        remedy = "write `extends: builtin`, or leave the file out"
        raise InputError(explained("unknown settings of a catalogue", where=file.name, remedy=remedy))
    return raw["extends"] == "builtin"


def _add_table(file: Path, tables: dict[str, list[Row]]) -> None:
    name = file.stem
    if name not in CONTENT_COLUMNS:
        remedy = did_you_mean(name, CONTENT_COLUMNS)
        raise InputError(
            explained("unknown file of a catalogue", where=str(file.parent), got=file.name, remedy=remedy)
        )
    if file.suffix == ".csv":
        tables.setdefault(name, []).extend(csv_rows(file))
        return
    for table, rows in yaml_rows(name, file.read_bytes(), where=file.name).items():
        tables.setdefault(table, []).extend(rows)


@dataclass(frozen=True)
class CatalogueCheck:
    """What a check of a catalogue found.

    counts:  entries by part. missing: labels without each language of the engine.
    learned: questions whose scale is learned. unordered: questions that enter no scale.
    alike:   pairs of questions with one text. words: own words by column.
    """

    version: str
    counts: Mapping[str, int]
    missing: Mapping[str, int]
    learned: int
    unordered: int
    alike: tuple[tuple[str, str], ...]
    most_answers: int
    words: Mapping[str, tuple[str, ...]]


def check_catalogue(catalogue: Catalogue) -> CatalogueCheck:
    """Return counts and doubts of a catalogue that could be read.

    >>> from recsys.catalogue import load_catalogue
    >>> check_catalogue(load_catalogue()).missing
    {'ja': 0, 'en': 0}
    """
    questions = [q for q in catalogue.questions.values() if not q.retired]
    labels = [one.label for part in (catalogue.interests, catalogue.topics) for one in part.values()]
    labels += [q.label for q in questions] + [o.label for q in questions for o in q.options]
    labels += [label for own in catalogue.own_words.values() for label in own.values()]
    first: dict[str, str] = {}
    alike = []
    for question in questions:
        other = first.setdefault(fold(question.label.en), question.id)
        if other != question.id:
            alike.append((other, question.id))
    scored = [all(option.score is not None for option in q.options) for q in questions]
    return CatalogueCheck(
        version=catalogue.version,
        counts={
            "questions": len(questions),
            "options": sum(len(q.options) for q in questions),
            "retired": len(catalogue.questions) - len(questions),
            "sensitive": sum(q.sensitive for q in questions),
            "interests": len(catalogue.interests),
            "topics": len(catalogue.topics),
        },
        missing={lang: sum(lang in label.missing for label in labels) for lang in LANGUAGES},
        learned=sum(q.scale is None and has for q, has in zip(questions, scored, strict=True)),
        unordered=sum(not has for has in scored),
        alike=tuple(alike),
        most_answers=catalogue.most_answers,
        words={name: tuple(own) for name, own in catalogue.own_words.items()},
    )


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
