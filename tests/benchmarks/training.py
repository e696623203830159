"""How long training takes on a large service, and one newcomer's fold-in."""

import time
from typing import Any

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.data.population import Population
from recsys.models.fold_in import EntriesByPerson, fold_in_answers
from recsys.models.hybrid import HybridModel
from recsys.simulation.settings import TownSettings
from recsys.simulation.town import make_town
from recsys.storage.load import load_population
from tests.benchmarks.command import peak_mb

_LOOKS = 50
_REPEATS = 200
_ANSWERED = 0.25


def timed_training(n_people: int, n_events: int, seed: int) -> dict[str, Any]:
    """Return seconds and peak memory of a hybrid fit; the answers are random, which costs the same."""
    rng = np.random.default_rng(seed)
    people = many_people(n_people, rng)
    events = many_events(people, n_events, rng)
    before, begin = peak_mb(), time.perf_counter()
    model = HybridModel().fit(people, events, rng=rng)
    return {
        "train_people": len(people),
        "train_events": len(events),
        "train_factors": model.config.factors,
        "train_seconds": time.perf_counter() - begin,
        "train_peak_mb": peak_mb(),
        "train_peak_mb_before": before,
        "train_fold_in_ms": fold_in_ms(model),
    }


def many_people(n_people: int, rng: np.random.Generator) -> Population:
    """Return the people of a town without a past."""
    usual = TownSettings()
    history = usual.history.model_copy(update={"days": 0, "neighbourhood": 8})
    town = make_town(n_people, rng, settings=usual.model_copy(update={"history": history}))
    return load_population(town.tables)


def many_events(people: Population, n_events: int, rng: np.random.Generator) -> Events:
    """Return exposures of random pairs in the places of lists of ten, a quarter of them answered."""
    n_shown = int(n_events / (1.0 + _ANSWERED))
    i, j = rng.integers(0, len(people), (2, n_shown))
    j = np.where(i == j, (j + 1) % len(people), j)
    answered = rng.random(n_shown) < _ANSWERED
    liked = rng.random(int(answered.sum())) < 0.7
    ts = people.as_of - pd.to_timedelta(rng.integers(0, 56 * 86_400, n_shown), unit="s")
    ids = people.ids.ids(np.arange(len(people)))
    own = np.concatenate([i, i[answered]])
    kinds = np.where(liked, "like", "pass").astype(object)
    frame = pd.DataFrame(
        {
            C.ACTOR: ids[own],
            C.TARGET: ids[np.concatenate([j, j[answered]])],
            C.TYPE: np.concatenate([np.full(n_shown, "impression", object), kinds]),
            C.TS: np.concatenate([ts, ts[answered]]),
            C.POSITION: np.concatenate([rng.integers(1, 11, n_shown), np.full(len(kinds), np.nan)]),
        }
    )
    frame[C.TS] = pd.to_datetime(frame[C.TS], utc=True)
    return Events.of(frame)


def fold_in_ms(model: HybridModel) -> float:
    """Return the milliseconds of folding in one person of fifty looks, both sides of both spaces.

    The least of many repeats: what the work takes when nothing else runs.
    """
    rng = np.random.default_rng(0)
    labels, weights, offset = (rng.random(_LOOKS) < 0.3).astype(float), np.ones(_LOOKS), np.zeros(_LOOKS)
    spaces = [len(model.global_parameters_.personal.scale), len(model.global_parameters_.standard.scale)]
    factors = [rng.normal(size=(_LOOKS, k)) for k in spaces]
    evidence = EntriesByPerson.of(1, np.zeros(_LOOKS, np.int64), np.arange(_LOOKS))

    def once() -> None:
        for side in factors * 2:
            prior = np.zeros((1, side.shape[1]))
            fold_in_answers(
                prior, evidence, side, labels=labels, weights=weights, offset=offset, strength=1.0, steps=3
            )

    once()
    seconds = []
    for _ in range(_REPEATS):
        begin = time.perf_counter()
        once()
        seconds.append(time.perf_counter() - begin)
    return min(seconds) * 1000.0
