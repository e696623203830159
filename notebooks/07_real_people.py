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
# # Real people
#
# 551 people met for four minutes each at 21 speed-dating evenings (Columbia University, 2002 to 2004;
# Fisman, Iyengar, Kamenica, Simonson). The data lie beside the repository, in `../shared/data` or the folder
# named by `RECSYS_DATA`, and nothing of them is kept here: pictures are of aggregates only. Without the data
# this notebook says so and draws nothing.
#
# Students in one city twenty years ago: what holds here need not hold elsewhere, and no study has predicted
# the quality of a relation from such forms.

# %% tags=["parameters"]
N_RESAMPLES = 200
SEED = 7

# %%
import os
from pathlib import Path

import numpy as np
import pandas as pd

import recsys
from recsys import plots
from recsys.evaluation import as_lists, compare, mutual_labels

plots.use_style()

root = next(folder for folder in (Path.cwd(), *Path.cwd().parents) if (folder / "pyproject.toml").exists())
data = Path(os.environ.get("RECSYS_DATA") or root.parent / "shared" / "data") / "speed_dating"
there = (data / "pairs.csv").exists()
"the data are here" if there else "the data are not here: nothing below is drawn"

# %% [markdown]
# ## Any log of who chose whom
#
# Both decisions of each meeting, as a table with one row a decision. No profile is needed: women see men and
# men see women, as it was.

# %%
if there:
    met = pd.read_csv(data / "pairs.csv")
    decisions = pd.concat(
        [
            met[["f", "m", "f_yes"]].set_axis(["who", "whom", "yes"], axis=1),
            met[["m", "f", "m_yes"]].set_axis(["who", "whom", "yes"], axis=1),
        ]
    )
    sides = dict.fromkeys(met.f, "woman") | dict.fromkeys(met.m, "man")
    log = recsys.Interactions.of(decisions, viewer="who", candidate="whom", outcome="yes", sides=sides)
    print(log)

# %% [markdown]
# ## Collaborative models
#
# A fifth of the meetings is held out, both directions of a meeting together. Models know everybody from their
# other meetings.

# %%
if there:
    past, later = log.split_pairs(0.8, np.random.default_rng(SEED))
    truth = mutual_labels(later.truth()[["viewer_id", "candidate_id", "label"]])
    models = {"popularity": recsys.PopularityModel(), "hybrid": recsys.HybridModel()}
    keys = ["viewer_id", "candidate_id"]
    lists = {
        name: as_lists(model.fit(past.people, past.events, rng=np.random.default_rng(SEED)).score_pairs(truth[keys]))
        for name, model in models.items()
    }
    table = compare(lists, truth, against="popularity", k=(3,), n_resamples=N_RESAMPLES, rng=np.random.default_rng(SEED))
    found = table.query("metric in ('auc', 'ndcg@3')").set_index(["metric", "model"])
    plots.models(table, "auc")

# %%
if there:
    print(found[["value", "lo", "hi", "random", "more", "more_lo", "more_hi"]].round(3))

# %% [markdown]
# ## Attention is uneven among real people too

# %%
if there:
    received = decisions.groupby("whom").yes.mean()
    given = decisions.groupby("who").yes.mean()
    axes = pd.DataFrame({"yes received": received, "yes given": given}).plot.hist(
        bins=20, alpha=0.6, figsize=(6, 3.2), title="Share of yes given and received, n = 551 people"
    )
    axes.set(xlabel="share of yes", ylabel="people")
