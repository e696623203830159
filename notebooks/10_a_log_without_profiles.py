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
# # A log, and no profile
#
# A table of who met whom and how they liked it is enough: `recsys.Interactions` reads it. The log is made up
# here, so that everybody can run this: people of clubs, who mostly meet within their club. A fifth of the pairs is
# held out, and every model is judged on them beside random order.

# %% tags=["parameters"]
N_PEOPLE = 400
N_RESAMPLES = 200
SEED = 11

# %%
import numpy as np
import pandas as pd

import recsys
from recsys import plots

plots.use_style()

# %%
rng = np.random.default_rng(SEED)
club, warmth = rng.integers(0, 12, N_PEOPLE), rng.normal(size=N_PEOPLE)
taste, traits = rng.normal(size=(2, N_PEOPLE, 3))
who, whom = (one.ravel() for one in np.meshgrid(np.arange(N_PEOPLE), np.arange(N_PEOPLE), indexing="ij"))
met = (rng.random(who.size) < np.where(club[who] == club[whom], 0.5, 0.012)) & (who != whom)
who, whom = who[met], whom[met]
liking = (taste[who] * traits[whom]).sum(axis=1) / 1.2 + warmth[whom] / 2 + rng.normal(size=who.size)
ratings = pd.DataFrame({"who": who, "whom": whom, "stars": np.clip(np.round(3.3 + liking), 1, 5)})
log = recsys.Interactions.of(ratings, viewer="who", candidate="whom", outcome="stars", like=4)
log

# %% [markdown]
# ## Five models
#
# Both directions of a pair are held out together: whoever rated somebody is no hint of how they are rated.

# %%
past, later = log.split_pairs(0.8, SEED)
truth = later.truth()[["viewer_id", "candidate_id", "label"]]
pairs = truth[["viewer_id", "candidate_id"]]
models = {
    "hybrid": recsys.HybridModel(),
    "one-sided ALS": recsys.models.OneSidedALS(),
    "RCF": recsys.models.RCF(),
    "popularity": recsys.PopularityModel(),
    "random": recsys.RandomModel(),
}
scored = {name: model.fit(past.people, past.events, rng=SEED).score_pairs(pairs) for name, model in models.items()}
lists = {name: recsys.evaluation.as_lists(table, by="p_like") for name, table in scored.items()}
table = recsys.compare(
    lists, truth, against="random", probability="p_like", n_resamples=N_RESAMPLES, rng=SEED
)
plots.models(table, "auc");

# %% [markdown]
# Given a look, who likes whom. The interval is over the people of both sides: a popular person is one person.

# %%
table.query("metric == 'auc'")[["model", "value", "lo", "hi", "random", "more", "more_lo", "more_hi"]].round(3)

# %% [markdown]
# ## Is P(like | look) what it says?

# %%
plots.reliability(recsys.evaluation.reliability_table(truth.label, scored["hybrid"].p_like), of="P(like | look)");

# %% [markdown]
# Near the diagonal in the middle. The model says less than there is to say at both ends: fewer likes than
# predicted where it predicts few, more where it predicts many.
#
# ## Who is alike
#
# Two people are alike to the model when the logits they give to everybody correlate. Clubs were never told to it.

# %%
hybrid = models["hybrid"]
alike = pd.concat([recsys.neighbours(hybrid, person, k=5).assign(of=person) for person in past.people.ids.values[:100]])
own = log.to_external(alike.rename(columns={"user_id": "candidate_id", "of": "viewer_id"}))
same = (club[own.viewer_id.to_numpy(int)] == club[own.candidate_id.to_numpy(int)]).mean()
f"{same:.0%} of the five nearest are of the same club; one in twelve would be chance"

# %% [markdown]
# ## Lists
#
# Of people nobody has met yet, with the ids of the table.

# %%
log.to_external(recsys.recommend(hybrid, past.people, past.policy, k=5, exclude=past.seen)).head(5)
