SELECT canonical_id(id) AS user_id FROM person WHERE NOT list_contains(roles, 'bot')
