"""Experiments: designs, keyed assignment, outcomes, honest intervals, sequential looks, guard-rails, plans.

from recsys import experiments

experiment = recsys.config.ExperimentSettings(...)        # or params.yaml, under `experiment`
groups = experiments.neighbourhoods(pool, count=40)
people = experiments.assign(experiment, ids, groups.table)
result = experiments.analyse(experiment, people, experiments.outcomes(events, experiment))
"""

from recsys.config import ArmSettings, ExperimentSettings
from recsys.experiments.analysis import ExperimentResult, analyse
from recsys.experiments.arms import arm_of_pairs, joined_lists
from recsys.experiments.assignment import arm_of_night, assign
from recsys.experiments.estimates import Estimate, SpilloverEstimate, compare_pairs, compare_units
from recsys.experiments.guard_rails import guard_rails
from recsys.experiments.neighbourhoods import Neighbourhoods, neighbourhoods
from recsys.experiments.outcomes import Outcomes, exposure_table, outcomes, person_totals
from recsys.experiments.planning import nights_needed, nights_of_past, plan
from recsys.experiments.rehearsal import Rehearsal, rehearse
from recsys.experiments.sample_ratio import sample_ratio
from recsys.experiments.sequential import HarmTest, always_valid_interval, harm_test

__all__ = [
    "ArmSettings",
    "Estimate",
    "ExperimentResult",
    "ExperimentSettings",
    "HarmTest",
    "Neighbourhoods",
    "Outcomes",
    "Rehearsal",
    "SpilloverEstimate",
    "always_valid_interval",
    "analyse",
    "arm_of_night",
    "arm_of_pairs",
    "assign",
    "compare_pairs",
    "compare_units",
    "exposure_table",
    "guard_rails",
    "harm_test",
    "joined_lists",
    "neighbourhoods",
    "nights_needed",
    "nights_of_past",
    "outcomes",
    "person_totals",
    "plan",
    "rehearse",
    "sample_ratio",
]
