SELECT CAST(id AS VARCHAR) AS question_id, question AS label, 'en' AS lang FROM compatibility_prompts
WHERE answer_type = 'compatibility_multiple_choice'
