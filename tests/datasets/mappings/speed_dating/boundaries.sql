SELECT iid AS user_id FROM participants WHERE false
