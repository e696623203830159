SELECT canonical_id(person_id) AS user_id, CAST(question_id AS VARCHAR) AS question_id,
  CASE WHEN answer IS NULL THEN 'skipped' END AS set_aside,
  CASE WHEN answer THEN 'yes' ELSE 'no' END AS answer, 1 AS importance, false AS mandatory,
  CASE WHEN public_ THEN 'public' ELSE 'match_only' END AS visibility
FROM answer
