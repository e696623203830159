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
# # Lists made together
#
# The best list for each is not the best set of lists for all: everybody is sent to the same few people,
# their inboxes overflow, and most sincere likes are never read. Here is why, in pictures, and what the
# allocator does about it.

# %% tags=["parameters"]
N_PEOPLE = 2_000
SEED = 7

# %%
import numpy as np
import pandas as pd

import recsys
from recsys import plots
from recsys.allocation import simulate_lists

plots.use_style()

town = recsys.make_town(N_PEOPLE, np.random.default_rng(SEED))
people, events = recsys.load_population(town.tables), recsys.load_events(town.tables)
model = recsys.PopularityModel().fit(people, events, rng=np.random.default_rng(SEED))
pool = recsys.recommend(model, people, recsys.Policy.default(), k=100)
everybody = np.union1d(pool.viewer_id.unique(), pool.candidate_id.unique())
f"{len(pool):,} candidates for {pool.viewer_id.nunique():,} people"

# %% [markdown]
# ## Congestion
#
# `product` gives everybody the candidates with whom both are most likely to say yes. The allocator starts
# from the same chances and spreads attention to where it is worth most: first for the most matches in
# total (*welfare*), then so that a match counts more for who has few (*Nash*).

# %%
lists = {
    "product": pool[pool["rank"] <= 10],
    "welfare": recsys.allocate(pool, k=10, fairness=0.0),
    "Nash": recsys.allocate(pool, k=10, fairness=1.0),
}
plots.lorenz(lists, everybody);

# %% [markdown]
# The same as load: how many likes a person may expect a day, when everybody looks at their list from the
# top. A few inboxes hold far more than anybody reads.

# %%
load = pd.DataFrame(
    {
        name: frame.assign(likes=frame.p_like / frame["rank"]).groupby("candidate_id").likes.sum().reindex(everybody, fill_value=0.0)
        for name, frame in lists.items()
    }
)
axes = load.apply(np.sort).reset_index(drop=True).iloc[::-1].reset_index(drop=True).head(len(load) // 5).plot(
    figsize=(6.5, 3.5), logy=True, title="Expected likes per day, the most liked fifth"
)
axes.set(xlabel="people, most liked first", ylabel="likes per day (log scale)");

# %% [markdown]
# ## Simulated gain
#
# Measured not by the allocator's own model but by a simulator of examination, likes, inboxes and replies.
# `error` is the standard deviation of a pair's true logit around the predicted one: the gain shrinks as it
# grows, and is reported for each.

# %%
table = pd.concat(
    simulate_lists(pool, lists, reference="product", rng=np.random.default_rng(SEED), error=error, draws=6).assign(error=error)
    for error in (0.0, 1.0)
)
table.round(3)

# %% [markdown]
# ## Budgets
#
# A cap on the likes a person is expected to receive. It acts as a price that candidates put on attention;
# what does not fit is cut, exactly.

# %%
capped = recsys.allocate(pool, k=10, budget=1.0)
received = capped.assign(likes=capped.p_like * capped.exposure).groupby("candidate_id").likes.sum()
axes = received.plot.hist(bins=40, figsize=(6, 3), title="Expected likes received under a budget of 1")
axes.set(xlabel="expected likes", ylabel="candidates")
f"the most anybody is expected to receive: {received.max():.3f}"
