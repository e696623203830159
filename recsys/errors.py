"""Every error this package raises on purpose, and how their messages are built.

A message answers four questions: what is wrong, where, what was got, and what to do about it.
`exit_code` is what the command line returns: 20 refused by a gate, 30 try again later, 40 broken
input or setting.
"""

import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from importlib import import_module
from types import FrameType, ModuleType

from recsys.redaction import column_labels

EXIT_PUBLISHED = 0
EXIT_PUBLISHED_WITH_WARNINGS = 10
EXIT_REFUSED = 20
EXIT_TRY_AGAIN = 30
EXIT_BROKEN_INPUT = 40

_SHOWN_LENGTH = 80


class RecsysError(Exception):
    """The root of the tree: catch this to catch every deliberate error of the package."""

    exit_code = EXIT_BROKEN_INPUT


class InputError(RecsysError):
    """Something given from outside is broken: a table, a file, an argument."""


class ArgumentTypeError(InputError, TypeError):
    """An argument of another type than a function takes, such as a table where people are meant."""


class TableError(InputError):
    """A whole table cannot be used; carries every problem found, not just the first."""

    def __init__(self, table: str, problems: Sequence[str]) -> None:
        self.table = table
        self.problems = tuple(problems)
        listed = "\n".join(f"  - {problem}" for problem in self.problems)
        how_many = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        super().__init__(f"table '{table}' cannot be used ({how_many}):\n{listed}")


class SettingsError(InputError):
    """A parameter file or a configuration object holds an unknown key or an impossible value."""


class PluginError(SettingsError):
    """A plugin asked for by name is not installed, is broken, or takes a name that is taken."""


class UnknownIdError(InputError, KeyError):
    """An id was asked for that the population does not hold."""

    __str__ = Exception.__str__


class MissingColumnError(InputError):
    """A table lacks a column; names the column that was probably meant."""

    def __init__(self, wanted: Sequence[str], columns: Iterable[object], where: str) -> None:
        there = [str(column) for column in columns]
        labels = column_labels(there, known=wanted if any(name in there for name in wanted) else ())
        self.missing = tuple(name for name in wanted if name not in there)
        near = [get_close_matches(name, {*there} & {*labels}, n=1) for name in self.missing]
        renamed = [
            f"'{found[0]}' to '{name}'" for name, found in zip(self.missing, near, strict=True) if found
        ]
        alone = [f"'{name}'" for name, found in zip(self.missing, near, strict=True) if not found]
        steps = [f"rename {', '.join(renamed)}"] if renamed else []
        steps += [f"add {', '.join(alone)}, or rename what holds it"] if alone else []
        problem = missing_columns(self.missing)
        columns_there = ", ".join(labels) or "no column"
        super().__init__(explained(problem, where=where, got=columns_there, remedy=" and ".join(steps)))


def missing_columns(missing: Sequence[str]) -> str:
    """Return which columns a table lacks, in words.

    >>> missing_columns(["rank"]), missing_columns(["rank", "p_like"])
    ("column 'rank' is missing", "columns 'rank', 'p_like' are missing")
    """
    names = ", ".join(f"'{name}'" for name in missing)
    return f"column {names} is missing" if len(missing) == 1 else f"columns {names} are missing"


def need_columns(wanted: Sequence[str], columns: Iterable[object], *, where: str) -> None:
    """Raise MissingColumnError when a table lacks one of the columns that are wanted.

    >>> need_columns(["ts"], ["at"], where="x")
    Traceback (most recent call last):
    recsys.errors.MissingColumnError: column 'ts' is missing in x: got 'at'; add 'ts', or rename what holds it
    """
    there = list(columns)
    for name in wanted:
        if there.count(name) > 1:
            remedy = "rename one of them, or leave it out"
            raise InputError(explained(f"column '{name}' stands twice", where=where, remedy=remedy))
    if any(name not in there for name in wanted):
        raise MissingColumnError(wanted, there, where)


def warn(message: str) -> None:
    """Warn at the line outside this package from which it was called, so that a notebook shows it once.

    >>> import warnings
    >>> with warnings.catch_warnings(record=True, action="always") as caught:
    ...     warn("nothing was learned")
    >>> caught[0].message.args
    ('nothing was learned',)
    """
    level = 1
    frame: FrameType | None = sys._getframe()
    while frame is not None and str(frame.f_globals.get("__name__")).split(".")[0] == "recsys":
        level, frame = level + 1, frame.f_back
    warnings.warn(message, UserWarning, stacklevel=level)


class NotFittedError(RecsysError):
    """A model or feature block was used before `fit`."""


class SourceError(InputError):
    """A file, folder or database cannot be read."""


class PublicationError(RecsysError):
    """A publication is missing, incomplete or does not match its manifest."""


class UnknownFormatError(PublicationError):
    """A publication is of a format that this version does not read."""


class StalePublicationError(PublicationError):
    """What is published is older than the caller accepts."""

    exit_code = EXIT_TRY_AGAIN


class PublicationRefusedError(RecsysError):
    """A gate refused the publication; the current one stays served."""

    exit_code = EXIT_REFUSED


class BusyError(RecsysError):
    """Another writer holds the lock, or a resource is away for now."""

    exit_code = EXIT_TRY_AGAIN


class SafetyUnavailable(RecsysError):  # noqa: N818 - the name a backend catches
    """The safety store cannot answer: nothing is served until it can."""

    exit_code = EXIT_TRY_AGAIN


class NotPermittedError(RecsysError):
    """Something for operators was asked for without their permission."""


class TrackingError(RecsysError):
    """The store of tracked nights and models cannot be used; what is published stays served."""


class MissingExtraError(RecsysError, ImportError):
    """A package is not installed that only part of this one needs; names the extra to install."""

    def __init__(self, package: str, extra: str) -> None:
        self.extra = extra
        super().__init__(
            explained(f"{package} is not installed", remedy=f"install it with: pip install 'recsys[{extra}]'")
        )


def imported(module: str, extra: str) -> ModuleType:
    """Import a module of an optional extra of this package.

    Raises MissingExtraError, which names the extra, when it is not installed.

    >>> imported("json", extra="report").__name__
    'json'
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != package:
            raise
        raise MissingExtraError(package, extra) from error


def as_text(value: object, write: Callable[[object], str] = str) -> str:
    """Return `str(value)`, or `write(value)`, of whatever a cell may hold.

    Python writes out no whole number of more than 4,300 digits, and no time beyond the year 9999 in some
    zones: such a value is described instead.

    >>> as_text(12), as_text(10**5000)
    ('12', '(number of very many digits)')
    """
    try:
        return write(value)
    except NotImplementedError:
        return "(time beyond the calendar)"
    except ValueError:
        return "(number of very many digits)"


def shown(value: object) -> str:
    r"""Return `value` as one short printable line, however long or hostile it is.

    >>> print(shown("a\u202eb"))
    'a\u202eb'
    >>> len(shown("c" * 500)), shown("c" * 500)[-20:]
    (100, '... (500 characters)')
    >>> import numpy as np
    >>> print(shown("山田"), shown(np.int64(5)))
    '山田' 5
    """
    if type(value).__module__ == "numpy" and getattr(value, "ndim", 1) == 0:
        value = value.item()  # type: ignore[attr-defined]
    text = value if isinstance(value, str) else as_text(value, repr)
    quoted = repr(text[:_SHOWN_LENGTH])  # what cannot be printed, or would turn the line round, is escaped
    if not isinstance(value, str):
        quoted = quoted[1:-1]
    if len(text) <= _SHOWN_LENGTH:
        return quoted
    return f"{quoted[:_SHOWN_LENGTH]}... ({len(text)} characters)"


def explained(what: str, *, where: str = "", got: object = None, remedy: str = "") -> str:
    """Join the four parts of a message, leaving out what is not known.

    >>> explained("unknown table", where="data/town", got="profile", remedy="did you mean 'profiles'?")
    "unknown table in data/town: got 'profile'; did you mean 'profiles'?"
    """
    message = what
    if where:
        message += f" in {where}"
    if got is not None:
        message += f": got {shown(got)}"
    if remedy:
        message += f"; {remedy}"
    return message


def unknown_name(module: str, name: str, names: Iterable[str]) -> AttributeError:
    """Return the error for a public name that a module does not have; it names the nearest.

    >>> unknown_name("recsys.models", "HybirdModel", ["EASE", "HybridModel"])
    AttributeError("recsys.models has no such name: got 'HybirdModel'; did you mean 'HybridModel'?")
    """
    return AttributeError(explained(f"{module} has no such name", got=name, remedy=did_you_mean(name, names)))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a remedy that names the nearest known word, or lists what is known.

    >>> did_you_mean("gendr", ["gender", "age_band"])
    "did you mean 'gender'?"
    >>> did_you_mean("x", ["gender", "age_band"])
    'use one of age_band, gender'
    """
    choices = sorted(known)
    near = get_close_matches(word[:_SHOWN_LENGTH], choices, n=1)
    if near:
        return f"did you mean '{near[0]}'?"
    return f"use one of {', '.join(choices)}" if choices else ""
