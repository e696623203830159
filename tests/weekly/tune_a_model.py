"""Tune a model, honestly.

before: 18
"""

# given: people, events
found = recsys.tune(recsys.models.LFRR(), {"n_factors": [2, 8], "regularization": [1.0, 10.0]}, people, events, rng=7, metric="auc", outcome="like")
best = found.model.get_params()
