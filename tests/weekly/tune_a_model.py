"""Tune a model, honestly.

before: 18
"""

# given: people, events
space = {"n_factors": [2, 8], "regularization": [1.0, 10.0]}
model = recsys.models.LFRR()
found = recsys.tune(model, space, people, events, rng=7, metric="auc", outcome="like")
best = found.model.get_params()
