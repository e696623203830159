SELECT canonical_id(会員番号) AS user_id, 質問ID AS question_id, known(回答) AS answer,
  CASE WHEN known(許容回答) IS NOT NULL THEN words(許容回答, '|') END AS accepted,
  MAP {'0': 0, '1': 1, '2': 10, '3': 50}[known(重要度)] AS importance, false AS mandatory,
  CASE 公開 WHEN '1' THEN 'public' ELSE 'match_only' END AS visibility, known(同意番号) AS consent_id
FROM kaitou
