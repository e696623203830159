WITH choice AS (
  SELECT CAST(id AS VARCHAR) AS question_id, unnest(json_keys(multiple_choice_options)) AS label, multiple_choice_options AS codes
  FROM compatibility_prompts WHERE answer_type = 'compatibility_multiple_choice'
), coded AS (
  SELECT *, CAST(json_extract_string(codes, '$."' || label || '"') AS INT) AS code, len(json_keys(codes)) AS n FROM choice
)
SELECT question_id, CAST(code AS VARCHAR) AS option_id, label, 'en' AS lang, 2.0 * code / (n - 1) - 1 AS score
FROM coded ORDER BY question_id, code
