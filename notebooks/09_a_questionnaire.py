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
# # A questionnaire, and nothing else
#
# A service that opens tomorrow has no event yet: nobody has looked at anybody. It has what people answered. This
# notebook goes from a table of answers to a map of people and to lists. The answers are drawn here from three
# traits, so that what is found can be held against what is there; put your own table in the place of `survey`.

# %% tags=["parameters"]
N_PEOPLE = 600
SEED = 7

# %%
import numpy as np
import pandas as pd

import recsys
from recsys import plots
from recsys.features import Questionnaire

plots.use_style()

# %% [markdown]
# ## Answers
#
# Nine questions: scales of 1 to 5, ordered words, a flag and a choice. A fifth of the answers is missing.

# %%
rng = np.random.default_rng(SEED)
traits = pd.DataFrame(rng.normal(size=(N_PEOPLE, 3)), columns=["outdoors", "quiet", "humour"])
noise = rng.normal(scale=0.7, size=(N_PEOPLE, 9))
felt = traits.to_numpy()[:, [0, 0, 0, 1, 1, 1, 2, 2, 2]] + noise
words = np.array(["never", "sometimes", "often"])
survey = pd.DataFrame({"user_id": [f"p{n:04d}" for n in range(N_PEOPLE)]})
for at, name in enumerate(["walks", "mountains", "sea", "reading", "evenings_in", "small_groups", "jokes"]):
    survey[name] = pd.Series(np.clip(np.round(3 + felt[:, at]), 1, 5))
survey["laughs_aloud"] = pd.Categorical(words[np.digitize(felt[:, 7], [-0.6, 0.6])], words, ordered=True)
survey["pet"] = np.where(felt[:, 8] > 0, "dog", "cat")
questions = survey.columns[1:]
survey[questions] = survey[questions].mask(rng.random((N_PEOPLE, len(questions))) < 0.2)
survey.head()

# %% [markdown]
# ## Factors
#
# `Questionnaire` finds how many factors stand out of noise and what each item says of them.

# %%
people = recsys.Population.of_ids(survey.user_id, as_of="2026-01-05")
block = Questionnaire(survey).fit(people)
loadings = block.loadings_
loadings.round(2)

# %%
found = block.transform(people).attributes
agreement = pd.DataFrame(
    np.abs(np.corrcoef(traits.T, found.T)[:3, 3:]),
    index=traits.columns,
    columns=[f"factor {n + 1}" for n in range(found.shape[1])],
)
agreement.round(2)

# %% [markdown]
# Each trait has a factor that goes along with it. With answers of real people nobody knows the traits; there the
# loadings say what a factor is, and a second survey of the same people whether it stays.

# %% [markdown]
# ## A map
#
# Everybody on the two directions in which they differ most, coloured by one of their own answers.

# %%
model = recsys.ContentModel(blocks=[Questionnaire(survey)]).fit(people, recsys.Events.none(), rng=SEED)
plots.embedding_map(model.fitted, survey.set_index("user_id").walks.rename("agrees: likes long walks (1 to 5)"));

# %% [markdown]
# ## Lists
#
# A list exists before the first event. Its probabilities rest on a stated prior, that people at the same end of a
# factor like each other (`weight`, in logits), until outcomes say otherwise: they order candidates, and their level
# is not to be believed yet.

# %%
policy = recsys.Policy(())  # the survey says nothing of ages, places or wishes: no rule can be asked
lists = recsys.recommend(model, people, policy, k=5)
lists.head(5)

# %%
place = {person: row for row, person in enumerate(survey.user_id)}
viewer, candidate = lists.viewer_id.map(place), lists.candidate_id.map(place)
everybody = traits.to_numpy()
alike = (everybody[viewer] * everybody[candidate]).mean(axis=1)
other = (everybody[viewer] * everybody[rng.permutation(candidate)]).mean(axis=1)
pd.Series({"listed": alike.mean(), "at random": other.mean()}, name="mean product of traits").round(2)

# %% [markdown]
# ## What to do next
#
# Record what is shown and what comes of it, from the first day: `recsys.Events.of(table)`. The same model, fitted
# with events, moves its weights by them.
