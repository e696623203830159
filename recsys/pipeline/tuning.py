"""Hyperparameter search on temporal splits, nested so that no trial sees the answers of the last split.

The events are split twice. The search sees what came before the last split alone, fits on the first
part of it and is scored on the second. The last part compares the best settings with the usual ones,
once, at the end.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.data.labels import LABEL, directed_labels
from recsys.data.population import Population
from recsys.errors import InputError, SettingsError, did_you_mean, explained, imported
from recsys.evaluation.compare import compare
from recsys.evaluation.held_out import answers_after
from recsys.evaluation.probability import log_loss
from recsys.evaluation.protocol import as_lists
from recsys.pipeline.evaluation import LEARNED_SHARE
from recsys.pipeline.from_settings import model_from_settings
from recsys.pipeline.night import Night
from recsys.random import generator
from recsys.settings import ModelSettings
from recsys.storage.load import events_of, load_tables, population_of

Options = dict[str, Any]
_KEYS: Final = [C.VIEWER, C.CANDIDATE]


def _behaviour(trial: Any) -> Options:
    return {
        "strength": trial.suggest_float("strength", 0.3, 10.0, log=True),
        "personal_strength": trial.suggest_float("personal_strength", 0.5, 10.0, log=True),
        "spread": trial.suggest_float("spread", 0.1, 1.5, log=True),
        "factors": trial.suggest_categorical("factors", [16, 32, 64]),
    }


def _content(trial: Any) -> Options:
    return {
        "person_precision": trial.suggest_float("person_precision", 0.1, 10.0, log=True),
        "block_ridge": trial.suggest_float("block_ridge", 0.1, 10.0, log=True),
        "near_scale_km": trial.suggest_float("near_scale_km", 5.0, 100.0, log=True),
    }


SPACES: Final[Mapping[str, Callable[[Any], Options]]] = MappingProxyType(
    {"hybrid": _behaviour, "collaborative": _behaviour, "content": _content}
)
"""What is searched, by the name of the model."""


@dataclass(frozen=True, eq=False)
class TemporalSplit:
    """Training data before a moment, and the answers after it: viewer_id, candidate_id, label."""

    people: Population
    past: Events
    answers: pd.DataFrame

    @classmethod
    def at(cls, source: str, events: Events, share: float) -> "TemporalSplit":
        """Split where `share` of the decisions were made.

        Raises InputError when nobody known answered afterwards.
        """
        times = directed_labels(events)[C.TS].sort_values()
        if times.nunique() < 2:
            raise InputError(explained("too few decisions to tune on", where=source, got=len(times)))
        moment = pd.Timestamp(times.iloc[int(share * len(times))])
        tables = load_tables(source, moment - pd.Timedelta(microseconds=1), past=True)
        people, past = population_of(tables), events_of(tables)
        answers, _ = answers_after(events, past, people.ids, moment)
        if answers[LABEL].nunique() < 2:
            raise InputError(explained(f"too few answers after {moment} to tune on", where=source))
        return cls(people, past, answers[[*_KEYS, LABEL]])

    def scored(self, model: ModelSettings, night: Night) -> pd.DataFrame:
        """Return the answers with the predictions of a model fitted on the past."""
        rng = generator(night.settings, "tune")
        fitted = model_from_settings(model).fit(self.people, self.past, rng=rng)
        return fitted.score_pairs(self.answers[_KEYS], people=self.people)


@dataclass(frozen=True, eq=False)
class TuningResult:
    """The result of a search.

    options: the best settings. trials: one row a trial: its settings and `log_loss` in the search.
    judged: model ("tuned" or "usual"), metric, value, lo, hi, and more (with more_lo, more_hi): how
            much tuned exceeds usual on answers that no trial saw.
    """

    options: Options
    trials: pd.DataFrame
    comparison: pd.DataFrame


def tune(night: Night, *, trials: int = 30, n_resamples: int = 500) -> TuningResult:
    """Search settings for the model of the night by the log loss of P(like | look).

    The usual settings are the first trial. Equal seeds find equal settings.
    Raises SettingsError when the model has nothing to search, MissingExtraError without optuna.
    """
    name = night.settings.model.name
    if name not in SPACES:
        raise SettingsError(explained("nothing to tune", got=name, remedy=did_you_mean(name, SPACES)))
    last = TemporalSplit.at(night.source, night.events, LEARNED_SHARE)
    first = TemporalSplit.at(night.source, last.past, LEARNED_SHARE)
    given = night.settings.model.options
    optuna = imported("optuna", extra="tune")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    seed = int(generator(night.settings, "search").integers(2**31 - 1))
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))

    def loss(trial: Any) -> float:
        options = given if trial.number == 0 else given | SPACES[name](trial)
        trial.set_user_attr("options", options)
        predicted = first.scored(
            ModelSettings(name=name, options=options, blocks=night.settings.model.blocks), night
        )
        return log_loss(first.answers[LABEL], predicted[C.P_LIKE])

    study.optimize(loss, n_trials=trials)
    best: Options = study.best_trial.user_attrs["options"]
    rows = [trial.user_attrs["options"] | {"log_loss": trial.value} for trial in study.trials]
    lists = {
        which: as_lists(
            last.scored(ModelSettings(name=name, options=options, blocks=night.settings.model.blocks), night),
            C.P_LIKE,
        )
        for which, options in (("tuned", best), ("usual", given))
    }
    comparison = compare(
        lists,
        last.answers,
        against="usual",
        k=(10,),
        probability=C.P_LIKE,
        n_resamples=n_resamples,
        rng=generator(night.settings, "intervals"),
    )
    return TuningResult(best, pd.DataFrame(rows), comparison.dropna(subset=["more"]).reset_index(drop=True))
