"""Neighbours: who is alike to a model.

before: impossible
"""

# given: people, events
model = recsys.ContentModel(folds=2).fit(people, events, rng=7)
alike = recsys.neighbours(model, "u0000001", k=5)
