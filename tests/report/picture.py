"""Draws the picture of the README: the page about the last of some nights that a town lived through.

    python -m tests.report.picture docs/images/report.png [--people 700] [--nights 5]

Every night is a whole one, from tables to publication, and people act on its lists before the next. The
same arguments give the same page: run ids and clock times are replaced, measured times are left out. It
needs Chromium and takes a quarter of a minute a night on a quiet machine.
"""

import argparse
import json
from contextlib import chdir
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from PIL import Image

from recsys.pipeline.history import PastNight
from recsys.pipeline.night import Night
from recsys.pipeline.paths import PATHS
from recsys.report import NightSummary, render_report
from recsys.report.night_summary import read_night
from recsys.settings import read_settings
from recsys.simulation.settings import TownSettings
from recsys.simulation.town import make_town
from recsys.storage.publication import read_publication
from recsys.storage.table_files import write_tables
from tests.pipeline.nights import Folder
from tests.report.browser import browser, found

SEED = 20260105
SOURCE = "parquet:members"
SIZE = (1060, 1500)
_DAY = pd.Timedelta(days=1)


def nights_of(folder: Folder, people: int, nights: int) -> NightSummary:
    """Live through nights in `folder` and return the summary of the last."""
    town = make_town(people, np.random.default_rng(SEED), settings=TownSettings(), nights_ahead=nights)
    for night in range(nights):
        folder.root.mkdir(parents=True, exist_ok=True)
        with chdir(folder.root):
            write_tables(town.tables, SOURCE)
        changes = (f"source={SOURCE}", f"publish.platform.declared_for={SOURCE}", "execution.workers=1")
        codes = folder.run(*changes)
        if any(codes.values()):
            raise RuntimeError(codes)
        lists = read_publication(folder.published).lists
        events = town.step(lists, np.random.default_rng([SEED, night]))
        town = town.after(events, town.as_of + _DAY)
    return summary_of(folder)


def summary_of(folder: Folder) -> NightSummary:
    """Return what the page of the last night is made from."""
    with chdir(folder.root):
        night = Night.current(read_settings(PATHS.settings), PATHS)
        run = Path(json.loads(PATHS.outcome.read_bytes())["folder"])
        return read_night(run, night.people, night.policy, paths=PATHS, source="members")


def timeless(summary: NightSummary) -> NightSummary:
    """Return the same without what another run of the same nights would not repeat."""
    history = tuple(_timeless(past) for past in summary.history)
    last = history[-1]
    return replace(
        summary, run_id=last.run_id, created_at=last.created_at, history=history, seconds={}, night_seconds={}
    )


def _timeless(past: PastNight) -> PastNight:
    run_id = f"{past.data_as_of[:19].replace('-', '').replace(':', '')}Z-00000000"
    return replace(past, run_id=run_id, created_at=past.data_as_of)


def small(picture: bytes) -> bytes:
    """Return a picture with as many colours as a page needs."""
    written = BytesIO()
    Image.open(BytesIO(picture)).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(
        written, "PNG", optimize=True
    )
    return written.getvalue()


def main() -> None:
    """Draw the picture."""
    parser = argparse.ArgumentParser(description="Draw the picture of the README.")
    parser.add_argument("target", type=Path)
    parser.add_argument("--people", type=int, default=700)
    parser.add_argument("--nights", type=int, default=5)
    asked = parser.parse_args()
    chromium = found()
    if chromium is None:
        parser.error("no Chromium here; install it, or name it in RECSYS_CHROMIUM")
    with TemporaryDirectory() as folder, browser(chromium) as tab:
        summary = timeless(nights_of(Folder(Path(folder) / "nights"), asked.people, asked.nights))
        page = Path(folder) / "report.html"
        page.write_text(render_report(summary, "en"), encoding="utf-8")
        tab.size(*SIZE)
        tab.prefer(prefers_color_scheme="light")
        tab.open(page)
        asked.target.write_bytes(small(tab.picture()))
    print(f"{asked.target}: {asked.target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
