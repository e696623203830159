"""Why A stands above B.

before: impossible
"""

# given: people, events, a, b
model = recsys.ContentModel(folds=2).fit(people, events, rng=7)
why = recsys.explain_order(model, "u0000001", a, b)
axes = recsys.plots.order(why)
