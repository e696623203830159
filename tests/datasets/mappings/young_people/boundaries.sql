SELECT Age AS user_id FROM "young-people-survey" WHERE false
