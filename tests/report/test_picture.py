"""The picture of the README is small, named with the command that draws it, and the same every time."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from recsys.report import render_report
from tests.report import picture
from tests.report.nights import full_night

ROOT = Path(__file__).parents[2]


def test_pictures_are_small_and_say_how_they_are_made():
    pictures = list((ROOT / "docs" / "images").iterdir())
    assert pictures
    assert all(path.stat().st_size < 200_000 for path in pictures)
    assert f"python -m {picture.__name__} docs/images/report.png" in (ROOT / "README.md").read_text("utf-8")


def test_what_another_run_would_not_repeat_is_not_on_it():
    one = full_night()
    other_ids = [
        replace(past, run_id=past.run_id[:-1] + "f", created_at="2026-02-01") for past in one.history
    ]
    other = full_night(history=other_ids, run_id="x", created_at="2026-02-01", seconds={}, night_seconds={})
    assert render_report(one) != render_report(other)
    assert render_report(picture.timeless(one)) == render_report(picture.timeless(other))


def test_fewer_colours_keep_the_picture():
    drawn = np.zeros((40, 60, 3), np.uint8)
    drawn[:20] = (44, 100, 104)
    written = BytesIO()
    Image.fromarray(drawn).save(written, "PNG")
    back = np.asarray(Image.open(BytesIO(picture.small(written.getvalue()))).convert("RGB"))
    assert back.shape == drawn.shape
    assert np.abs(back.astype(int) - drawn).max() <= 4
