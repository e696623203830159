"""Polars in, polars out.

before: 6
"""

# given: table
table = polars.DataFrame(table)
log = recsys.Interactions.of(table, viewer="who", candidate="whom", outcome="stars", like=4)
model = recsys.PopularityModel().fit(log.people, log.events, rng=7)
lists = polars.DataFrame(recsys.recommend(model, log.people, log.policy, k=3, exclude=log.seen))
