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
# # Feature blocks and embeddings
#
# A block turns answers into two rows a person: what they look for, and what they are. The score a block
# gives a pair is the inner product of one's first row with the other's second.

# %% tags=["parameters"]
N_PEOPLE = 2_000
SEED = 7

# %%
import numpy as np
import pandas as pd

import recsys
from recsys import plots
from recsys.features.feature_map import FeatureMap
from recsys.features.scales import Scales
from recsys.models.directed import Directed

plots.use_style()

town = recsys.make_town(N_PEOPLE, np.random.default_rng(SEED))
people, events = recsys.load_population(town.tables), recsys.load_events(town.tables)
features = FeatureMap.fit(people, events=events)
pd.Series({block.name: len(block.columns) for block in features.blocks}, name="columns")

# %% [markdown]
# Protected attributes (ethnicity, faith, orientation, health) are in no block, and answers to sensitive
# questions are in none.
#
# ## Scores by block
#
# Scores of random pairs, one box a block. Distance decay is not here: it is a number for two cells.

# %%
rng = np.random.default_rng(SEED)
viewer, candidate = rng.integers(0, len(people), (2, 20_000))
rows = features.transform(people)
scores = pd.DataFrame(
    {name: (block.preferences[viewer] * block.attributes[candidate]).sum(axis=1) for name, block in rows.items()}
)
axes = scores.plot.box(figsize=(9.5, 3.5), sym="", color="#2c6468", title="Block scores of 20,000 random pairs", ylabel="score")

# %% [markdown]
# ## Reliability of scales
#
# Split-half reliability: the correlation of the two halves of a scale's questions. Near 1 is consistent, near 0
# is noise.

# %%
scales = Scales().fit(people, events=events)
reliability = pd.Series(scales.reliability_, name="split-half reliability").sort_values()
axes = reliability.plot.barh(figsize=(6, 3), xlim=(0, 1), title="Split-half reliability by scale", xlabel=reliability.name)

# %% [markdown]
# ## A map of people
#
# What everybody looks for, on the two directions in which people differ most. Coloured by the column that goes
# along with the first direction most; a latent factor of a block is a direction in which its columns vary together.

# %%
model = recsys.ContentModel(features=features).fit(people, events, rng=np.random.default_rng(SEED))
plane = plots.principal_plane(model.fitted.taste)
known = features.frame(people)
known = known.loc[:, known.std() > 0]
along = known.corrwith(pd.Series(plane[:, 0], index=known.index)).abs()
block, column, _ = along.idxmax().split(":")
plots.embedding_map(model.fitted, known[along.idxmax()].rename(f"{column.replace('latent_', 'latent factor ')} of {block}"));

# %%
along.sort_values(ascending=False).head(5).round(2)

# %% [markdown]
# ## The scales alone
#
# The same map of one block: what people are by their answers, coloured by the scale that stretches it most.

# %%
scales_only = Directed.of(people.ids, taste=rows["scales"].preferences, appeal=rows["scales"].attributes)
first = plots.principal_plane(scales_only.appeal)[:, 0]
answered = known.filter(regex="^scales:.*:attribute$")
widest = answered.corrwith(pd.Series(first, index=known.index)).abs().idxmax()
plots.embedding_map(scales_only, answered[widest].rename(widest.split(":")[1]), side="appeal");
