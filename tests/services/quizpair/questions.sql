SELECT CAST(id AS VARCHAR) AS question_id, question AS label, 'en' AS lang FROM question
