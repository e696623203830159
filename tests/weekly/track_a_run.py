"""Track a model and its metrics in MLflow.

before: 17
"""

# given: people, events, folder
model = recsys.PopularityModel().fit(people, events, rng=7)
table = recsys.cross_validate(model, people, events, rng=7, folds=2, outcome="like")
run = recsys.tracking.log(model, table, people=people, events=events, store=folder)
