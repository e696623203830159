WITH decision AS (
  SELECT 'like' AS type, CAST(creator_id AS VARCHAR) AS a, CAST(target_id AS VARCHAR) AS b, min(created_time) AS ts
  FROM profile_stars GROUP BY ALL
  UNION ALL SELECT 'pass', CAST(hider_user_id AS VARCHAR), CAST(hidden_user_id AS VARCHAR), min(created_time)
  FROM hidden_profiles GROUP BY ALL
)
SELECT concat_ws('-', type, a, b) AS event_id, utc(ts) AS ts, canonical_id(a) AS actor, canonical_id(b) AS target, type,
  NULL AS detail, CASE WHEN a = b THEN 'to oneself' WHEN a NOT IN (SELECT id FROM users) OR b NOT IN (SELECT id FROM users)
                       THEN 'no member' END AS set_aside
FROM decision
UNION ALL SELECT 'terms-' || id, created_time, canonical_id(id), NULL, 'terms_accepted', NULL, NULL FROM users
UNION ALL SELECT 'proof-' || id, created_time, canonical_id(id), NULL, 'verified',
  CASE WHEN data->>'$.checks.id.status' = 'passed' THEN 'id' ELSE 'age' END, NULL
FROM users WHERE data->>'$.checks.age.status' = 'passed'
