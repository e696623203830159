SELECT age AS user_id FROM profiles WHERE false
