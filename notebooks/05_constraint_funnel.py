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
# # The funnel of constraints
#
# Who may be shown to whom is decided before anything is scored, by rules that hold for both sides. The
# funnel counts what each rule removes: it is how an operator learns why lists are short.

# %% tags=["parameters"]
N_PEOPLE = 2_000
SEED = 7

# %%
import numpy as np
import pandas as pd

import recsys
from recsys import plots
from recsys.constraints import funnel

plots.use_style()

town = recsys.make_town(N_PEOPLE, np.random.default_rng(SEED))
people = recsys.load_population(town.tables)
policy = recsys.Policy.default()
policy

# %%
table = funnel(policy, people)
plots.funnel(table);

# %% [markdown]
# ## One person
#
# The same for one member whose list is short.

# %%
compiled = policy.compile(people)
listed = np.flatnonzero(compiled.listed)
open_to = compiled.may_show_block(listed, listed).sum(axis=1)
shortest = listed[open_to.argmin()]
steps = funnel(policy, people, [shortest])
print(f"{people.ids.values[shortest]}: {steps.left.iloc[-1]} people left of {len(people) - 1:,}")
steps[steps.removed_in_order > 0]

# %% [markdown]
# ## Candidates of each member
#
# Some have thousands of people they may meet, some a handful.

# %%
axes = pd.Series(open_to).plot.hist(bins=40, figsize=(6, 3), title="Candidates of each listed member")
axes.set(xlabel="candidates after all constraints", ylabel="listed members");

# %% [markdown]
# ## The cost of a constraint
#
# A policy is a set of named rules joined with `&`. Taking one away shows what it costs; it is a question
# for a notebook, never for a running service.

# %%
cost = {}
for name in ("languages", "contact_frequency", "meeting_settings", "age_bands", "distance"):
    without = recsys.Policy(tuple(rule for rule in policy.constraints if rule.name != name))
    cost[name] = without.compile(people).may_show_block(listed, listed).sum() / open_to.sum() - 1
axes = pd.Series(cost).sort_values().plot.barh(figsize=(6, 2.6), title="Cost of a constraint", xlabel="more pairs without it")
axes.xaxis.set_major_formatter("{x:.0%}")

# %% [markdown]
# ## Rules hold twice
#
# Each rule exists in two forms that share no code: compiled masks, and a plain definition over pairs. They
# agree on every pair; the second checks every list after ranking.

# %%
rng = np.random.default_rng(SEED)
viewer, candidate = rng.integers(0, len(people), (2, 20_000))
apart = viewer != candidate
plain = policy.may_show(people, viewer[apart], candidate[apart])
masked = np.array([compiled.may_show_block([v], [c])[0, 0] for v, c in zip(viewer[apart][:2_000], candidate[apart][:2_000])])
assert (masked == plain[:2_000]).all()
f"{plain.mean():.2%} of random pairs may be shown, by either form"
