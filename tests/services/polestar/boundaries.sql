SELECT DISTINCT canonical_id(users.id) AS user_id FROM users JOIN profiles ON profiles.user_id = users.id
WHERE coalesce(users.data->>'$.testUser', '') <> 'true' AND coalesce(users.data->>'$.userDeleted', '') <> 'true'
