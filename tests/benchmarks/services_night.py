"""One night of a service by the commands alone, and what it published, held against the raw files.

`recsys init` makes the home, the finished mapping is laid into it, the four conditions of publishing are
declared, and `recsys map check` and `recsys night` do the rest with their defaults. What is checked are the
published lists and one page a viewer; the check reads the raw files with pandas alone.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest import mock

import pandas as pd

import recsys
from recsys.errors import EXIT_PUBLISHED, EXIT_PUBLISHED_WITH_WARNINGS
from recsys.mapping.project import MAPPING_FILE
from recsys.pipeline.paths import PUBLISHED as PUBLICATIONS
from recsys.safety import MemorySafety
from recsys.safety.keys import read_keys_file
from recsys.settings import PARAMS_FILE
from tests.services.test_services import DATA, HERE, expected
from tests.services.violations import READERS, violations

PUBLISHED = (EXIT_PUBLISHED, EXIT_PUBLISHED_WITH_WARNINGS)
_PAGE = 20


def check_seconds(name: str) -> dict[str, float]:
    """Return the seconds that `recsys map check` takes, its start included: by the clock, of processors."""
    with tempfile.TemporaryDirectory() as folder:
        mapping = _mapping(name, Path(folder) / "mapping")
        start, before = time.perf_counter(), os.times()
        _command("map", "check", str(mapping), check=True)
        after = os.times()
        used = after.children_user + after.children_system - before.children_user - before.children_system
        return {
            "check_seconds": round(time.perf_counter() - start, 2),
            "check_cpu_seconds": round(used, 2),
        }


def night_of(name: str) -> dict[str, Any]:
    """Run a whole night and return what it published and how many rows of it break a raw fact, by rule."""
    want = expected(name)
    may = set(map(str, want["listable"])) | set(map(str, want.get("two_bands_possible", ())))
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        _command("init", str(home), "--as-of", want["as_of"], check=True)
        _mapping(name, home / "mapping")
        params = home / PARAMS_FILE
        params.write_text(params.read_text("utf-8").replace(": false", ": true"), encoding="utf-8")
        start = time.perf_counter()
        done = _command("night", "--home", str(home), check=False)
        found: dict[str, Any] = {"night_exit": done.returncode, "night_said": done.stderr.splitlines()[-6:]}
        if done.returncode not in PUBLISHED:
            return found
        raw, published = READERS[name](DATA / name), home / PUBLICATIONS
        with mock.patch.dict(os.environ, read_keys_file(home)):
            lists, pages = recsys.read_publication(published).lists, _pages(published)
        return {
            **found,
            "night_seconds": round(time.perf_counter() - start, 1),
            "night_viewers": int(lists["viewer_id"].nunique()),
            "night_rows": len(lists),
            "night_page_rows": len(pages),
            "night_violations": violations(raw, lists, may),
            "page_violations": violations(raw, pages, may),
        }


def _pages(published: Path) -> pd.DataFrame:
    """Return one page of every viewer as rows, by the door of a backend."""
    viewers = recsys.read_publication(published).lists["viewer_id"].unique()
    with closing(recsys.Ranker.open(published, safety=MemorySafety(), max_staleness=None)) as ranker:
        rows = [
            (viewer, item.candidate_id) for viewer in viewers for item in ranker.rank(viewer, k=_PAGE).items
        ]
    return pd.DataFrame(rows, columns=["viewer_id", "candidate_id"])


def _mapping(name: str, folder: Path) -> Path:
    """Lay the finished mapping of a service into a folder, with the full path of its source."""
    shutil.copytree(HERE / name, folder)
    file = folder / MAPPING_FILE
    text = file.read_text(encoding="utf-8").replace("source: ", f"source: {DATA.resolve()}/", 1)
    file.write_text(text, encoding="utf-8")
    return folder


def _command(*arguments: str, check: bool) -> "subprocess.CompletedProcess[str]":
    command = (sys.executable, "-m", "recsys.cli", *arguments)
    return subprocess.run(command, env=dict(os.environ), capture_output=True, text=True, check=check)
