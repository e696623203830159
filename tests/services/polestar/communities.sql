SELECT DISTINCT name AS community_id, canonical_id(user_id) AS user_id
FROM profile_causes JOIN causes ON causes.id = option_id JOIN profiles ON profiles.id = profile_id
