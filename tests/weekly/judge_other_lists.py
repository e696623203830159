"""Off-policy: what would other lists have brought?

before: 14
"""

# given: log, lists
table = recsys.off_policy(log, lists)
axes = recsys.plots.estimators(table, logged=log["match"].mean())
