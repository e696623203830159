SELECT CAST(id AS VARCHAR) AS question_id, option_id, option_id AS label, 'en' AS lang
FROM question CROSS JOIN (VALUES ('no'), ('yes')) AS choice(option_id)
