SELECT DISTINCT canonical_id(user_id) AS user_id, tag(name) AS tag, 3 AS level, 'both' AS share_mode
FROM profile_interests JOIN interests ON interests.id = option_id
JOIN (FROM profiles QUALIFY row_number() OVER (PARTITION BY user_id ORDER BY last_modification_time DESC) = 1) AS newest
  ON newest.id = profile_id
