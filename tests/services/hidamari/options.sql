SELECT 質問ID AS question_id, split_part(part, ':', 1) AS option_id, split_part(part, ':', 2) AS label, 'ja' AS lang,
  CASE WHEN 種別 = '五段階' THEN (CAST(split_part(part, ':', 1) AS INT) - 3) / 2.0 END AS score
FROM (SELECT *, unnest(string_split(選択肢, '|')) AS part FROM shitsumon)
