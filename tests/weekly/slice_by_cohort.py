"""For whom is a model good? Cohorts.

before: 12
"""

# given: people, learned, lists, truth
ids, pairs = people.ids.values, learned.frame.dropna(subset="target")
evidence = recsys.evaluation.count_interactions(ids, pairs["actor"], pairs["target"])
cohorts = evidence.map(lambda n: "few pairs" if n < 10 else "many pairs")
table = recsys.evaluate(lists, truth, k=5, slices=cohorts)
