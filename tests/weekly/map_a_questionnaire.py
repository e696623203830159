"""Own questionnaire to a map.

before: 16
"""

# given: survey
people = recsys.Population.of_ids(survey["user_id"], as_of="2026-01-05")
block = recsys.features.Questionnaire(survey)
model = recsys.ContentModel(blocks=[block]).fit(people, recsys.Events.none(), rng=7)
axes = recsys.plots.embedding_map(model.fitted, survey.set_index("user_id")["age"])
