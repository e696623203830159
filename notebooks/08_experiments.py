# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # An experiment that survives interference
#
# Two ways to make lists, one town. People share each other's attention: a match takes two, and a like takes a
# place in somebody's inbox. So people of two arms cannot simply be compared. Here is an experiment from its
# plan to its reading, with the comparison that misleads beside the one that does not.

# %% tags=["parameters"]
N_PEOPLE = 1_200
N_NIGHTS = 10
SEED = 7

# %%
import numpy as np
import pandas as pd

import recsys
from recsys import experiments
from recsys.experiments.conclusions import conclusions
from recsys.simulation.policies import NightsConfig
from recsys.simulation.policy_nights import play_nights

town = recsys.make_town(N_PEOPLE, np.random.default_rng(SEED), nights_ahead=N_NIGHTS)
past = recsys.load_events(town.tables)
town

# %% [markdown]
# ## Neighbourhoods
#
# Whoever was shown to whom says who can reach whom. Groups that cut few of these pairs share an arm.

# %%
seen = past.frame.loc[past.frame.type == "impression", ["actor", "target"]].astype("str")
groups = experiments.neighbourhoods(seen.set_axis(["viewer_id", "candidate_id"], axis=1), count=30)
f"{len(groups.sizes)} neighbourhoods, {groups.cut:.0%} of the pairs between them"

# %% [markdown]
# In this town many look far afield, so that much lies between neighbourhoods. A service whose members meet near
# home cuts less. Nights can be drawn instead: everybody has one arm on a night, and the other on the next.

# %% [markdown]
# ## The plan
#
# Arms are drawn over the past again and again: nothing but chance can be found there, and its size is the error
# that the experiment will have.

# %%
arms = {"liked": {"share": 0.5, "order": "naive"}, "together": {"share": 0.5}}
starts = town.as_of.date() + pd.Timedelta(days=1)
design = experiments.ExperimentSettings(
    name="together-1", unit="neighbourhood", starts=str(starts), nights=N_NIGHTS, mature_nights=0, effect=0.5, arms=arms
)
people = pd.Series(town.ids.values, dtype="str")
before = experiments.outcomes(past, design)
plan = experiments.plan(design, people, before, neighbourhoods=groups.table, nights=(7, 14, 28), draws=10)
plan.round(4)

# %% [markdown]
# ## The nights
#
# Both kinds of lists, each in a copy of the town of its own, give the true effect: what everybody would have. The
# random numbers of every pair are the same in both.

# %%
config = NightsConfig(nights=N_NIGHTS, policies=("naive", "welfare"), scores="oracle", baseline="naive")
played = play_nights(town, config, seed=SEED)
matches = {name: sum(len(night) for night in one.matches) for name, one in played.histories.items()}
true = 2 * (matches["welfare"] - matches["naive"]) / N_NIGHTS / len(people)
f"{matches}; true effect {true:+.4f} matches a person and night"

# %% [markdown]
# ## Who is in which arm
#
# A hash of the name of the experiment and the id decides. No table has to be kept, another name is another draw.

# %%
assignment = experiments.assign(design, people, groups.table)
assignment.arm.value_counts(dropna=False).to_frame()

# %% [markdown]
# ## Reading
#
# The past is read as if it had been an experiment: there is no effect in it, and the report says that it is open.
# `always_lo` and `always_hi` hold at any number of looks; `lo` and `hi` at one.

# %%
placebo = design.changed(starts=str(starts - pd.Timedelta(days=N_NIGHTS + 1)), name="placebo-1")
result = experiments.analyse(
    placebo, experiments.assign(placebo, people, groups.table), experiments.outcomes(past, placebo)
)
result.effects[["estimator", "effect", "lo", "hi", "always_lo", "always_hi", "decisive"]].round(4)

# %%
print(*conclusions(result), sep="\n")

# %%
result.guard_rails.round(3)
