"""Draws the pictures of the week's page, each by the job that stands beside it, from a drawn town and survey.

    python -m tests.weekly.pictures docs/images

The same code gives the same pictures; it takes half a minute.
"""

import argparse
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd

import recsys
from tests.weekly.jobs import jobs

DRAWN = ("map_a_questionnaire", "cross_validate_models", "explain_an_order")
"""The jobs whose pictures the page shows."""


def survey_of_two_traits(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return answers from 1 to 5 to six questions, three a trait, a fifth missing; the first trait rises with age."""
    age = rng.integers(25, 80, n)
    traits = np.column_stack([(age - 52) / 16 + 0.5 * rng.normal(size=n), rng.normal(size=n)])
    answers = np.clip(np.round(3 + traits[:, [0, 0, 0, 1, 1, 1]] + 0.5 * rng.normal(size=(n, 6))), 1, 5)
    survey = pd.DataFrame(answers).mask(rng.random((n, 6)) < 0.2).set_axis(list("abcdef"), axis=1)
    return survey.assign(user_id=[f"p{at}" for at in range(n)], age=age)


def draw(folder: Path) -> list[Path]:
    """Run the jobs, write their pictures and return where they are."""
    mpl.use("Agg")
    recsys.plots.use_style()
    town = recsys.make_town(600, rng=7)
    people, events = recsys.load_population(town.tables), recsys.load_events(town.tables)
    given = {"recsys": recsys, "people": people, "events": events, "a": "u0000002", "b": "u0000003"}
    given["survey"] = survey_of_two_traits(400, np.random.default_rng(3))
    written = []
    for job in jobs():
        if job.name in DRAWN:
            names = dict(given)
            exec(compile(job.code, job.name, "exec"), names)
            written.append(folder / f"{job.name}.png")
            names["axes"].figure.savefig(written[-1], dpi=110, metadata={"Software": None})
    return written


def main(arguments: list[str] | None = None) -> int:
    """Draw the pictures into a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    print(*draw(parser.parse_args(arguments).folder), sep="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
