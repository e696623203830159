WITH newest AS (
  SELECT *, canonical_id(member_no) AS id, len(list_distinct([*COLUMNS('^q([1-9]|[12][0-9]|30)$')])) = 1 AS straight
  FROM responses WHERE Status = 'IP Address' AND Finished = 'True'
  QUALIFY row_number() OVER (PARTITION BY canonical_id(member_no) ORDER BY utc(EndDate, NULL, 'dmy') DESC) = 1
), given AS (UNPIVOT newest ON COLUMNS('q[0-9]+') INTO NAME question_id VALUE said)
SELECT id AS user_id, question_id,
  CASE WHEN straight AND CAST(question_id[2:] AS INT) <= 30 THEN 'straight_line'
       WHEN likert(said, 7) IS NULL THEN 'unknown' END AS set_aside,
  CAST(likert(said, CASE WHEN CAST(question_id[2:] AS INT) <= 30 THEN 7 ELSE 5 END) AS VARCHAR) AS answer,
  1 AS importance, false AS mandatory, 'public' AS visibility
FROM given
