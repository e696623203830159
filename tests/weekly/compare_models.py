"""Compare five models on what came later.

before: 20
"""

# given: tables
events = recsys.load_events(tables)
people = recsys.load_population(tables, as_of=events.moment(0.7), past=True)
truth = recsys.truth_after(events, people)
models = {name: getattr(recsys.models, name)() for name in ("PopularityModel", "EASE", "LFRR", "RCF", "RandomModel")}
table = recsys.compare({name: recsys.evaluation.as_lists(model.fit(people, events, rng=7).score_pairs(truth[["viewer_id", "candidate_id"]])) for name, model in models.items()}, truth, against="RandomModel")
