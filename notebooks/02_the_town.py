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
# # The town
#
# Who lives here, where, and what they did. Nothing in this notebook is about real people: the town is
# drawn from a prior with a seed, so that pipelines, tests and models have somebody to meet.

# %% tags=["parameters"]
N_PEOPLE = 5_000
SEED = 7

# %%
import numpy as np
import pandas as pd

import recsys
from recsys import plots
from recsys.data.labels import directed_labels

plots.use_style()

town = recsys.make_town(N_PEOPLE, np.random.default_rng(SEED))
people, events = recsys.load_population(town.tables), recsys.load_events(town.tables)
people

# %% [markdown]
# ## Where they live
#
# Profiles hold an H3 cell of about 6 km, never coordinates. Cells with fewer than five people are left out
# of the picture.

# %%
plots.cell_map(people, resolution=4);

# %% [markdown]
# ## What they did
#
# Every act is one row: who, to whom, what, when. Messages carry counts and reply times, never text.

# %%
acts = events.frame.groupby("type").size().sort_values()
axes = acts.plot.barh(logx=True, figsize=(7, 5), title="Events by type", xlabel="events (log scale)", ylabel="")

# %% [markdown]
# ## Attention is uneven
#
# Some candidates get most of the likes, and like rates of viewers differ. Ranking everybody by popularity
# therefore serves few.

# %%
labels = directed_labels(events)
received = labels.groupby("candidate_id").agg(yes=("label", "sum"), looks=("label", "size"))
given = labels.groupby("viewer_id").label.mean()
people_curve, share = plots.lorenz_curve(received.yes)
axes = pd.Series(share, index=people_curve).plot(
    figsize=(4.6, 4.4), title=f"Lorenz curve of likes received (Gini {recsys.evaluation.gini(received.yes):.2f})"
)
axes.plot([0, 1], [0, 1], ":", color="#8f897c")
axes.set(xlabel="share of candidates, least liked first", ylabel="share of likes", aspect="equal");

# %%
axes = given[labels.groupby("viewer_id").size() >= 5].plot.hist(
    bins=20, figsize=(6, 3), title="Like rate of viewers with five or more decisions"
)
axes.set(xlabel="like rate of a viewer", ylabel="viewers");

# %% [markdown]
# ## From impression to meeting
#
# The conversion funnel: the engine is evaluated by pairs who are both comfortable, not by clicks.

# %%
frame = events.frame
steps = pd.Series(
    {
        "looked at": frame[frame.type == "impression"].groupby(["actor", "target"]).ngroups,
        "liked": frame[frame.type == "like"].groupby(["actor", "target"]).ngroups,
        "liked by both": len(recsys.evaluation.mutual_labels(labels[["viewer_id", "candidate_id", "label"]]).query("label == 1")) // 2,
        "met": frame[(frame.type == "meet_feedback")].groupby(["actor", "target"]).ngroups // 2,
    }
)
axes = steps[::-1].plot.barh(logx=True, figsize=(6, 2.4), title="From impression to meeting")
axes.bar_label(axes.containers[0], fmt="{:,.0f}", padding=3)
axes.set(xlim=(None, 3 * steps.max()), xlabel="directed pairs (log scale); the last two rows count a pair once")
steps
