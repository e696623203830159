-- Dogs and cats, as people said; having one is level 5, liking them 4.
WITH said AS (SELECT row_number() OVER () - 1 AS nth, coalesce(pets, '') AS pets FROM profiles)
SELECT printf('oc%05d', nth) AS user_id, animal AS tag, CASE WHEN pets LIKE '%has ' || animal || '%' THEN 5 ELSE 4 END AS level
FROM said CROSS JOIN (VALUES (1, 'dogs'), (2, 'cats')) AS asked(place, animal)
WHERE pets LIKE '%has ' || animal || '%' OR ' ' || pets LIKE '% likes ' || animal || '%'
ORDER BY nth, place
