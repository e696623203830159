WITH pair AS (SELECT canonical_id(member_no) AS actor, unnest(words(blocked, ' ')) AS target, utc(EndDate, NULL, 'dmy') AS ended
  FROM responses WHERE Status = 'IP Address' AND Finished = 'True')
SELECT actor, canonical_id(target) AS target, min(ended) AS ts FROM pair GROUP BY ALL
