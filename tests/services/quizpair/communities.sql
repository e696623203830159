SELECT club_name AS community_id, canonical_id(person_id) AS user_id FROM person_club
