WITH decision AS (
  SELECT subject_person_id AS a, object_person_id AS b, 'like' AS type, created_at FROM messaged
  UNION ALL SELECT subject_person_id, object_person_id, 'pass', created_at FROM skipped WHERE NOT reported
)
SELECT concat_ws('-', type, a, b) AS event_id, utc(created_at) AS ts, canonical_id(a) AS actor, canonical_id(b) AS target,
       type, NULL AS detail,
       CASE WHEN a = b THEN 'to oneself' WHEN a NOT IN (SELECT id FROM person) OR b NOT IN (SELECT id FROM person)
            THEN 'no member' END AS set_aside
FROM decision
UNION ALL SELECT 'terms-' || id, utc(sign_up_time), canonical_id(id), NULL, 'terms_accepted', NULL, NULL FROM person
UNION ALL SELECT 'proof-' || id, utc(sign_up_time), canonical_id(id), NULL, 'verified',
  CASE verification_level_id WHEN 3 THEN 'id_liveness' ELSE 'age' END, NULL FROM person WHERE verified_age
