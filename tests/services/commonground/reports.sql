WITH told AS (SELECT canonical_id(member_no) AS actor, unnest(words(reported, ';')) AS told, utc(EndDate, NULL, 'dmy') AS ts
  FROM responses WHERE Status = 'IP Address' AND Finished = 'True')
SELECT actor, canonical_id(split_part(told, ':', 1)) AS target, ts,
  CASE WHEN contains(lower(told), 'money') THEN 'money' ELSE 'other' END AS category FROM told
