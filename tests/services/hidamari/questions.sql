SELECT 質問ID AS question_id, 質問文 AS label, 'ja' AS lang, 要配慮 = '1' AS sensitive FROM shitsumon
