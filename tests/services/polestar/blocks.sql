WITH listed AS (
  SELECT id, CAST(data->'$.blockedUserIds' AS VARCHAR[]) AS blocked, CAST(data->'$.blockedByUserIds' AS VARCHAR[]) AS blocked_by
  FROM private_users
), pair AS (SELECT id AS a, unnest(blocked) AS b FROM listed UNION SELECT unnest(blocked_by), id FROM listed)
SELECT DISTINCT canonical_id(a) AS actor, canonical_id(b) AS target, as_of() AS ts FROM pair
