"""What if everybody went 50 km?

before: impossible
"""

# given: people
policy = recsys.Policy.default()
near = people.assuming(max_distance_km=50)
table = recsys.compare_policies({"today": policy, "50 km": (policy, near)}, people)
axes = recsys.plots.policies(table, "candidates")
