"""Own log to lists.

before: 9
"""

# given: table
log = recsys.Interactions.of(table, viewer="who", candidate="whom", outcome="stars", like=4)
model = recsys.HybridModel(explicit_factors=8).fit(log.people, log.events, rng=7)
lists = log.to_external(recsys.recommend(model, log.people, log.policy, k=5, exclude=log.seen))
