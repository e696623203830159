WITH newest AS (
  SELECT *, canonical_id(member_no) AS id FROM responses WHERE Status = 'IP Address' AND Finished = 'True' AND account <> 'left'
  QUALIFY row_number() OVER (PARTITION BY id ORDER BY utc(EndDate, NULL, 'dmy') DESC) = 1
)
SELECT DISTINCT id AS user_id, tag(unnest(words(interests, ',;/'))) AS tag, 3 AS level, 'both' AS share_mode FROM newest
