SELECT canonical_id(user_id) AS actor, canonical_id(content_owner_id) AS target, utc(created_time) AS ts,
  CASE WHEN contains(description, 'money') THEN 'money' WHEN contains(description, 'harass') THEN 'harassment' ELSE 'other' END AS category
FROM reports
