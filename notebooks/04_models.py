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
# # Models side by side
#
# Every model is trained on the first part of the past and evaluated on the rest: who became a mutual match,
# among the candidates a viewer was shown? Random order is always beside them, and intervals are over
# people on both sides.

# %% tags=["parameters"]
N_PEOPLE = 2_000
N_RESAMPLES = 200
SEED = 7

# %%
import numpy as np
import pandas as pd

import recsys
from recsys import plots
from recsys.data.labels import LabelSettings
from recsys.data.labels import directed_labels
from recsys.evaluation import (
    as_lists,
    compare,
    count_interactions,
    interaction_slice,
    mutual_labels,
    reliability_table,
)

plots.use_style()

town = recsys.make_town(N_PEOPLE, np.random.default_rng(SEED))
everything = recsys.load_events(town.tables)

# %% [markdown]
# ## Training and test data
#
# People, answers and events as of one moment; nothing later reaches a model.

# %%
moment = directed_labels(everything).ts.quantile(0.7)
people = recsys.load_population(town.tables, as_of=moment, past=True)
past = everything.until(moment)
later = recsys.Events.of(everything.frame[everything.frame.ts > moment])

keys = ["viewer_id", "candidate_id"]
known = set(people.ids.values)
shown = directed_labels(later, settings=LabelSettings(unanswered=True))
shown = shown[shown.viewer_id.isin(known) & shown.candidate_id.isin(known)]
shown = shown.merge(directed_labels(past)[keys], on=keys, how="left", indicator=True).query("_merge == 'left_only'")
answers = pd.concat([shown, directed_labels(everything)])[[*keys, "label"]].drop_duplicates(keys)
truth = mutual_labels(answers, undecided_is_no=True).merge(shown[keys], on=keys)
f"{len(truth):,} pairs shown later, {truth.label.mean():.1%} of them became mutual"

# %%
models = {
    "popularity": recsys.PopularityModel(),
    "content": recsys.ContentModel(),
    "hybrid": recsys.HybridModel(),
}
lists = {
    name: as_lists(model.fit(people, past, rng=np.random.default_rng(SEED)).score_pairs(truth[keys]))
    for name, model in models.items()
}

# %% [markdown]
# ## Who is better, and for whom
#
# By the number of decisions a person had made or received: a newcomer has none.

# %%
decided = directed_labels(past)
signals = count_interactions(people.ids.values, decided.viewer_id, decided.candidate_id)
slices = pd.Series(interaction_slice(signals), index=signals.index)
table = compare(
    lists, truth, against="popularity", k=(10,), slices=slices, n_resamples=N_RESAMPLES, rng=np.random.default_rng(SEED)
)
plots.models(table, "ndcg@10");

# %%
plots.evidence_curve(table, "ndcg@10");

# %%
table.query("slice == 'all' and metric == 'ndcg@10'").round(3)

# %% [markdown]
# ## Calibration
#
# P(like | look) among those who answered, and the mutual probability among all shown.

# %%
hybrid = lists["hybrid"]
liked = hybrid.merge(directed_labels(later)[[*keys, "label"]], on=keys)
both = hybrid.merge(truth, on=keys)
plots.reliability(
    {
        "P(like | look), answered": reliability_table(liked.label, liked.p_like),
        "P(both like | both look), all shown": reliability_table(both.label, both.p_mutual),
    }
);

# %% [markdown]
# The first line lies above the diagonal: only pairs that were answered are in it, and who looks and is not
# interested mostly does not answer, so P(like | look) is below the share of likes among answers. The second
# line, of all pairs shown, answered or not, lies near the diagonal.

# %% [markdown]
# ## Explanation of one pair
#
# Every logit is a sum of terms: feature blocks, distance decay, and the behaviour model. This is for
# whoever studies the model, and never for a member.

# %%
best = hybrid.nlargest(1, "p_mutual")[keys].iloc[0]
pair = models["hybrid"].explain_pair(best.viewer_id, best.candidate_id)
plots.pair(pair);

# %%
pair
