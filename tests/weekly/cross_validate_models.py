"""Cross-validate models.

before: 19
"""

# given: people, events
models = {"popularity": recsys.PopularityModel(), "random": recsys.RandomModel()}
table = recsys.cross_validate(models, people, events, rng=7, outcome="like", against="random")
axes = recsys.plots.models(table, "auc")
