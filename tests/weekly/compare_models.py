"""Compare five models on what came later.

before: 20
"""

# given: tables
events = recsys.load_events(tables)
people = recsys.load_population(tables, as_of=events.moment(0.7), past=True)
truth = recsys.truth_after(events, people)
models = [getattr(recsys.models, n)() for n in ["EASE", "ItemKNN", "LFRR", "RCF", "RandomModel"]]
table = recsys.evaluation.compare_models(models, people, events, truth, rng=7, against="random")
