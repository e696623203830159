"""For whom is a model good? Cohorts.

before: 12
"""

# given: people, lists, truth
ids, who, whom = people.ids.values, truth["viewer_id"], truth["candidate_id"]
evidence = recsys.evaluation.count_interactions(ids, who, whom)
cohorts = evidence.map(lambda n: "few pairs" if n < 10 else "many pairs")
table = recsys.evaluate(lists, truth, k=5, slices=cohorts)
