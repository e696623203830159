"""Finished nights to track: a small model, its measures, and the pairs it was judged on."""

from pathlib import Path

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data.population import Population
from recsys.models.popularity import PopularityModel
from recsys.pipeline.fingerprint import files_fingerprint
from recsys.pipeline.gates import GateResult, Level
from recsys.settings import Settings
from recsys.storage.manifest import FileEntry, MadeFrom, Manifest
from recsys.testing.model_contract import some_events
from recsys.testing.people import AS_OF, make_people
from recsys.tracking.night_tracking import FinishedNight

IDS = [f"u{n:03}" for n in range(60)]


def fitted_model(seed: int = 0) -> PopularityModel:
    from recsys.data.events import Events

    people = make_people(30, np.random.default_rng(12))
    events = Events.of(some_events(people.ids.ids(np.arange(30)), np.random.default_rng(seed)))
    return PopularityModel().fit(people, events, rng=np.random.default_rng(0))


def evaluated_pairs(*, skill: float = 2.0, n: int = 600, seed: int = 0, offset: float = 0.0) -> pd.DataFrame:
    """Return judged pairs; the outcomes depend on `seed` alone, `skill` is how well they are foreseen."""
    rng = np.random.default_rng(seed)
    pairs = pd.DataFrame({C.VIEWER: rng.choice(IDS, n), C.CANDIDATE: rng.choice(IDS, n)}).drop_duplicates()
    pairs = pairs[pairs[C.VIEWER] != pairs[C.CANDIDATE]].reset_index(drop=True)
    taste = rng.normal(size=len(pairs))
    liked = (rng.random(len(pairs)) < 1 / (1 + np.exp(-2.0 * taste))).astype(float)
    said = 1 / (1 + np.exp(-skill * taste))
    return pairs.assign(p_like=np.clip(said + offset, 0, 1), p_mutual=said**2, liked=liked, mutual=liked)


def night(
    folder: Path,
    *,
    run_id: str = "20260105T030000Z-0a1b2c3d",
    seed: int = 0,
    pairs: pd.DataFrame | None = None,
    **tracking: object,
) -> FinishedNight:
    model = fitted_model(seed).save(folder / f"model-{seed}")
    page = folder / "report.html"
    page.write_text("<!doctype html><title>One night</title>", encoding="utf-8")
    measures = [
        ("all", "popularity", "ndcg@10", 0.34, 0.32, 0.36, 444, 0.3, "mutual"),
        ("all", "random", "ndcg@10", 0.29, 0.27, 0.31, 444, 0.3, "mutual"),
        ("all", "popularity", "ece", 0.02, np.nan, np.nan, 444, np.nan, "like"),
        ("1-5", "popularity", "ndcg@10", 0.33, 0.2, 0.4, 12, 0.3, "mutual"),
        (">20", "popularity", "ndcg@10", 0.4, 0.3, 0.5, 9, 0.3, "mutual"),
    ]
    names = ["slice", "model", "metric", "value", "lo", "hi", "n", "random", "target"]
    ids = {"table_schema": "s", "data": "d", "policy": "p", "code": "c", "params": "x"}
    return FinishedNight(
        settings=Settings(model={"name": "popularity"}, tracking=tracking),
        manifest=Manifest(
            run_id=run_id,
            created_at="2026-01-05T03:12:44+00:00",
            data_as_of=AS_OF.isoformat(),
            made_from=MadeFrom(model=files_fingerprint(model), **ids),
            packages={"numpy": "2.4.6"},
            files={"recommendations.parquet": FileEntry(sha256="0" * 64, bytes=1, rows=12)},
        ),
        exit_code=0,
        model=model,
        measures=pd.DataFrame(measures, columns=names),
        reliability=pd.DataFrame({"pairs": [3], "said": [0.2], "happened": [0.3], "lo": [0.0], "hi": [0.6]}),
        tables=pd.DataFrame({"table": ["profiles"], "accepted": [30], "quarantined": [1]}),
        evaluated_pairs=evaluated_pairs() if pairs is None else pairs,
        gates=(GateResult("violations", Level.PASS, "none", {"count": 0}),),
        seconds={"train": 2.5},
        page=page,
    )


def people_of(model: PopularityModel) -> Population:
    return Population.of_ids(list(model.fitted.ids.values), as_of=AS_OF)
