-- The file has no times: a decision is dated as the response that it stands in, the newest one of the member.
WITH newest AS (
  SELECT *, canonical_id(member_no) AS id, utc(EndDate, NULL, 'dmy') AS ts FROM responses
  WHERE Status = 'IP Address' AND Finished = 'True'
  QUALIFY row_number() OVER (PARTITION BY id ORDER BY ts DESC) = 1
), stood AS (
  SELECT id, ts, 'like' AS type, unnest(words(liked, ' ')) AS other FROM newest
  UNION ALL SELECT id, ts, 'pass', unnest(words(passed, ' ')) FROM newest
)
-- Who stands in both lists was passed in the end: the careful reading.
SELECT concat_ws('-', type, id, other) AS event_id, ts, id AS actor, canonical_id(other) AS target, type, NULL AS detail,
  CASE WHEN id = other THEN 'to oneself' WHEN other NOT IN (SELECT id FROM newest) THEN 'no member'
       WHEN type = 'like' AND EXISTS (FROM stood AS s WHERE s.id = stood.id AND s.other = stood.other AND s.type = 'pass')
       THEN 'liked and passed' END AS set_aside
FROM stood
UNION ALL SELECT 'terms-' || id, ts, id, NULL, 'terms_accepted', NULL, NULL FROM newest
UNION ALL SELECT 'proof-' || id, ts, id, NULL, 'verified', 'id', NULL FROM newest WHERE lower(id_check) = 'yes'
