"""What a night says while it runs: the stage under way, how long it will take, and what each came to."""

import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final, Self, TextIO

from recsys.batch.stage_order import NAMES
from recsys.catalogue import Language, load_catalogue
from recsys.parallel import n_processors
from recsys.pipeline.paths import PATHS
from recsys.pipeline.stage_log import read_lines
from recsys.settings import TOWN, Settings

FIRST_NIGHT: Final[Mapping[str, tuple[float, float]]] = {
    "settings": (1.0, 0.0),
    "simulate": (4.0, 1.3),
    "ingest": (2.0, 0.02),
    "validate": (4.0, 0.9),
    "features": (2.0, 0.15),
    "train": (5.0, 1.2),
    "evaluate": (9.0, 2.4),
    "recommend": (5.0, 1.1),
    "allocate": (4.0, 1.2),
    "publish": (5.0, 0.5),
    "report": (4.0, 0.4),
    "track": (9.0, 0.02),
}
"""Seconds of each stage on two cores, `at least + each thousand people`, for the first night of a home."""
KERNELS_SECONDS: Final = 50.0
"""Processor time that compiling every kernel takes, once after an installation."""
BESIDE: Final = ("features", "train", "recommend", "allocate")
"""Stages beside which the evaluation runs, which needs none of them."""
_SHOWN: Final = 4
_WIDTH: Final = 60
_TICK: Final = 0.5


def text(key: str, lang: Language, **values: object) -> str:
    """Return the text `night.KEY` in one language."""
    return load_catalogue().text(f"night.{key}", lang, **values)


def gate_names(gates: Sequence[str], lang: Language) -> str:
    """Return gates as the page calls them in one language, with the name that settings and files use.

    >>> gate_names(["erased", "of_another_package"], "en")
    'People who asked to be erased (erased), of_another_package'
    """
    return _named("gate", gates, lang)


def condition_names(conditions: Sequence[str], lang: Language) -> str:
    """Return conditions of the platform in one language, with the name that settings use.

    >>> condition_names(["support_contact"], "en")
    'There is a support contact (support_contact)'
    """
    return _named("platform", conditions, lang)


def _named(section: str, names: Sequence[str], lang: Language) -> str:
    texts = load_catalogue()
    keys = {name: f"{section}.{name}" for name in names}
    named = [
        f"{texts.text(key, lang)} ({name})" if key in texts.texts else name for name, key in keys.items()
    ]
    return ("、" if lang == "ja" else ", ").join(named)


def expected_seconds(log: Path, settings: Settings | None) -> dict[str, float]:
    """Return how long each stage will take: as long as it took last, else by `FIRST_NIGHT`.

    log: the log of stages. A stage of which nothing is known, of an own source in its first night, is
    not in the result.
    """
    known = settings is not None and settings.source == TOWN
    thousands = settings.people / 1000 if settings is not None else 0.0
    guessed = {name: at_least + each * thousands for name, (at_least, each) in FIRST_NIGHT.items()}
    expected = guessed if known else {}
    for line in read_lines(log):
        if line["stage"] in NAMES and line.get("exit_code") in (0, 10):
            with suppress(TypeError, ValueError, KeyError):
                expected[line["stage"]] = float(line["seconds"])
    return expected


def duration(seconds: float, lang: Language) -> str:
    """Return a duration in words, as exact as an estimate is.

    >>> duration(8.2, "en"), duration(93, "en"), duration(3000, "en")
    ('8 s', '1.6 min', '50 min')
    """
    if seconds < 90:
        return text("seconds", lang, n=f"{seconds:.0f}")
    return text("minutes", lang, n=f"{seconds / 60:.1f}" if seconds < 600 else f"{seconds / 60:.0f}")


def kernels_are_cached(folder: Path, cache: str | None) -> bool:
    """Say whether some kernels were compiled before on this machine.

    folder: the package; cache: NUMBA_CACHE_DIR, None when it is not set.
    """
    return any(Path(cache or folder).rglob("*.nbi"))


def summary_line(name: str, fields: Mapping[str, object], moment: datetime, lang: Language) -> str:
    """Return the one line about a stage that ended.

    >>> fields, moment = {"people": 5000, "model": "hybrid", "seconds": 12.0}, datetime(2026, 1, 5, 3, 15)
    >>> summary_line("train", fields, moment, "en")
    '03:15:00   6/12 train         12 s  5,000 people, model hybrid'

    A moment with a zone names it, so that nobody takes one clock for another.
    """
    facts = {key: value for key, value in fields.items() if key not in _NOT_SHOWN and value not in (None, "")}
    shown = ", ".join(_fact(key, value) for key, value in list(facts.items())[:_SHOWN])
    took = duration(float(str(fields["seconds"])), lang)
    clock = f"{moment:%H:%M:%S %Z}".rstrip()
    return f"{clock} {_place(name)} {took:>7}  {shown}".rstrip()


_NOT_SHOWN: Final = ("exit_code", "seconds", "cpu_seconds", "peak_mb", "by_region")


def _fact(key: str, value: object) -> str:
    named = key.replace("_", " ")
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,} {named}"
    plain = f"{value:.3g}" if isinstance(value, float) else str(value)
    return f"{named} {plain if len(plain) <= _WIDTH else plain[: _WIDTH - 1] + '…'}"


def _place(name: str) -> str:
    number = f"{NAMES.index(name) + 1}/{len(NAMES)}" if name in NAMES else ""
    return f"{number:>6} {name:<10}"


class Ticker:
    """Says on a terminal, twice a second, what is under way; silent where the output is no terminal.

    expected: seconds the stage may take, None when unknown.
    """

    _running: "Ticker | None" = None

    def __init__(self, name: str, expected: float | None, lang: Language, out: TextIO | None = None) -> None:
        self.name, self.expected, self.lang = name, expected, lang
        self.out = sys.stderr if out is None else out
        self.viewers = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        Ticker._running = self
        if self.out.isatty():
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        Ticker._running = None
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
            print("\r\033[K", end="", file=self.out, flush=True)

    @classmethod
    def advance(cls, viewers: int) -> None:
        """Count viewers of the stage under way as done."""
        if cls._running is not None:
            cls._running.viewers += viewers

    def line(self, seconds: float) -> str:
        """Return what is under way after so many seconds.

        >>> Ticker("train", 12.0, "en").line(5.0)
        '  6/12 train      learns the model: 5 s of about 12 s'
        """
        took = duration(seconds, self.lang)
        known = self.expected is not None
        said = text("of_about", self.lang, took=took, all=duration(self.expected or 0.0, self.lang))
        doing = f"does_{self.name}" if self.name in NAMES else "does_tune"
        done = text("viewers", self.lang, n=f"{self.viewers:,}") if self.viewers else ""
        return f"{_place(self.name)} {text(doing, self.lang)}: {said if known else took}{done}"

    def _run(self) -> None:
        begun = time.monotonic()
        while not self._ended.wait(_TICK):
            if (
                min(filter(NAMES.__contains__, PATHS.stages_running()), key=NAMES.index, default="")
                != self.name
            ):
                continue  # of stages that run at once the first speaks
            print(f"\r\033[K{self.line(time.monotonic() - begun)}", end="", file=self.out, flush=True)


def part_progress() -> Callable[[int], None]:
    """Return what a stage calls with the number of viewers done."""
    return Ticker.advance


def opening_lines(
    settings: Settings | None, log: Path, lang: Language, *, compiling: bool, at_once: bool
) -> list[str]:
    """Return what a night says first: how many stages there are, and how long they will take.

    compiling: whether kernels are compiled first, once after an installation. at_once: whether stages that
    do not need each other run at the same time.
    """
    expected = expected_seconds(log, settings)
    lines = [text("begins", lang, stages=len(NAMES))]
    if set(NAMES) <= set(expected):
        last = any(line["stage"] in NAMES for line in read_lines(log))
        saved = min(expected["evaluate"], sum(expected[name] for name in BESIDE)) if at_once else 0.0
        took = duration(sum(expected.values()) - saved, lang)
        lines = [text("begins_last" if last else "begins_first", lang, stages=len(NAMES), took=took)]
    if compiling:
        extra = KERNELS_SECONDS if n_processors() < 2 else KERNELS_SECONDS / 2
        lines.append(text("compiling", lang, took=duration(extra, lang)))
    return lines
