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
# # First tour
#
# From import to lists, and what one list says. The people here are synthetic: a town spread over the
# prefectures of Japan, with a year of impressions, likes, messages and meetings behind it.

# %% tags=["parameters"]
N_PEOPLE = 2_000
SEED = 7

# %% [markdown]
# ## Five lines to a picture

# %%
import numpy as np

import recsys

town = recsys.make_town(N_PEOPLE, np.random.default_rng(SEED))
people, events = recsys.load_population(town.tables), recsys.load_events(town.tables)
model = recsys.ContentModel().fit(people, events, rng=np.random.default_rng(SEED))
lists = recsys.recommend(model, people, recsys.Policy.default(), k=10)
recsys.plots.list_lengths(lists);

# %% [markdown]
# Lists are ordinary DataFrames: one row a suggestion, best first, with P(like | look) for the viewer, P(like | look) for
# the candidate, and their product, the mutual probability.

# %%
lists.head(5)

# %% [markdown]
# ## One person's list, in words
#
# `reasons` holds codes, taken from what both have made public. They become words in Japanese or English.

# %%
from recsys.messaging.reasons import reason_text

viewer = lists.viewer_id.iloc[0]
mine = lists[lists.viewer_id == viewer].head(5)
{
    row.candidate_id: [reason_text(code, "en") for code in row.reasons] for row in mine.itertuples()
}

# %% [markdown]
# ## Why is somebody not in it?
#
# For operators only, never for members: the rules that keep two people apart, by name.

# %%
policy = recsys.Policy.default()
someone_else = next(user for user in people.ids.values if user not in set(mine.candidate_id) | {viewer})
[said.text.text("en") for said in policy.why_not(people, *people.ids.rows([viewer, someone_else]))]

# %% [markdown]
# ## Both sides count
#
# A mutual probability is small when either side is unlikely. The best candidate by one's own taste is
# often not the best by both.

# %%
by_own_taste = lists.sort_values(["viewer_id", "p_like"], ascending=[True, False]).groupby("viewer_id").head(1)
by_both = lists[lists["rank"] == 1]
same = by_own_taste.set_index("viewer_id").candidate_id.eq(by_both.set_index("viewer_id").candidate_id)
f"{same.mean():.0%} of people have the same first candidate either way"

# %% [markdown]
# Next: [the town](02_the_town.ipynb), [feature blocks](03_features.ipynb),
# [models side by side](04_models.ipynb), [the funnel of constraints](05_constraint_funnel.ipynb).
