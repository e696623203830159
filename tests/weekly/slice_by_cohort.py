"""For whom is a model good? Cohorts.

before: 12
"""

# given: people, lists, truth
evidence = recsys.evaluation.count_interactions(people.ids.values, truth["viewer_id"], truth["candidate_id"])
cohorts = evidence.map(lambda n: "few pairs" if n < 10 else "many pairs")
table = recsys.evaluate(lists, truth, k=5, slices=cohorts)
