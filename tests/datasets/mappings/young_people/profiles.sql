SELECT printf('yp%04d', row_number() OVER () - 1) AS user_id FROM "young-people-survey"
