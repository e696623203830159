SELECT canonical_id(creator_id) AS user_id, CAST(question_id AS VARCHAR) AS question_id,
  CASE WHEN importance < 0 THEN 'skipped' END AS set_aside,
  CAST(multiple_choice AS VARCHAR) AS answer, [CAST(code AS VARCHAR) FOR code IN pref_choices] AS accepted,
  MAP {0: 0, 1: 1, 2: 10, 3: 50}[importance] AS importance, false AS mandatory, 'public' AS visibility
FROM compatibility_answers
