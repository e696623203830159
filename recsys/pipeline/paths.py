"""Paths of the files that the stages of a night hand to each other."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True)
class NightPaths:
    """Names of everything the steps of a night hand to each other.

    >>> NightPaths(Path("data/work")).lists.as_posix()
    'data/work/lists.parquet'
    """

    root: Path

    @property
    def settings(self) -> Path:
        """The settings of this night, with what was changed for one run."""
        return self.root / "settings.yaml"

    @property
    def town(self) -> Path:
        """Tables of the synthetic town; empty when the source is another."""
        return self.root / "town"

    @property
    def tables(self) -> Path:
        """Tonight's tables as they came from the source."""
        return self.root / "tables"

    @property
    def accepted(self) -> Path:
        """Everybody and everything that happened, as the validation accepted them."""
        return self.root / "accepted"

    @property
    def quarantine(self) -> Path:
        """Rows set aside, with their reason."""
        return self.root / "quarantine.parquet"

    @property
    def validation(self) -> Path:
        """Counts of accepted and quarantined rows, and the time the night stands at."""
        return self.root / "validation.json"

    @property
    def features(self) -> Path:
        """The fitted feature blocks."""
        return self.root / "features"

    @property
    def model(self) -> Path:
        """The fitted model."""
        return self.root / "model"

    @property
    def evaluation(self) -> Path:
        """Measures of the model and the lists."""
        return self.root / "evaluation.json"

    @property
    def evaluated_pairs(self) -> Path:
        """Predictions and outcomes of the pairs the model was evaluated on."""
        return self.root / "evaluated_pairs.parquet"

    @property
    def dvc_metrics(self) -> Path:
        """Measures of the night's own model, for `dvc metrics`."""
        return self.root / "metrics.json"

    @property
    def dvc_plots(self) -> Path:
        """Tables of every model's measures and of calibration, for `dvc plots`."""
        return self.root / "plots"

    @property
    def nights(self) -> Path:
        """Figures of many simulated nights, when `recsys simulate --nights` wrote them here."""
        return self.root / "nights.json"

    @property
    def parts(self) -> Path:
        """Finished parts of a step under way; the next try goes on from them."""
        return self.root / "parts"

    @property
    def pool(self) -> Path:
        """Everybody's candidates, from which lists are chosen."""
        return self.root / "pool.parquet"

    @property
    def allocation(self) -> Path:
        """Prices of attention, and what the lists are expected to bring."""
        return self.root / "allocation"

    @property
    def lists(self) -> Path:
        """Every list, before the gates."""
        return self.root / "lists.parquet"

    @property
    def erased(self) -> Path:
        """Up to which erasure the tables of this night know of."""
        return self.root / "erased.json"

    @property
    def outcome(self) -> Path:
        """How publishing ended."""
        return self.root / "outcome.json"

    @property
    def failure(self) -> Path:
        """Which stage failed last, and why."""
        return self.root / "failure.json"

    @property
    def running(self) -> Path:
        """A folder with an empty file named for each stage under way; one that is killed leaves its file."""
        return self.root / "running"

    def stages_running(self) -> list[str]:
        """Return the names of the stages under way, or killed while they were."""
        return sorted(path.name for path in self.running.iterdir()) if self.running.is_dir() else []

    @property
    def log(self) -> Path:
        """One line of JSON for every stage that ran: its name, its seconds, its figures."""
        return self.root / "log.jsonl"

    @property
    def metrics(self) -> Path:
        """What the last night measured, for Prometheus."""
        return self.root / "night.prom"

    @property
    def report(self) -> Path:
        """The page about this night."""
        return self.root / "report.html"

    @property
    def tuned(self) -> Path:
        """What the last search for settings found."""
        return self.root / "tuned.json"

    @property
    def tracked(self) -> Path:
        """Under which run and model version this night is kept."""
        return self.root / "tracked.json"


PATHS: Final = NightPaths(Path("data/work"))
"""The work folder, from where a night is started."""

PUBLISHED: Final = Path("data/published")
HOME_STORE: Final = Path("data/safety.db")
"""What is served, from where a night is started."""
