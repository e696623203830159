SELECT printf('sd%03d', CAST(iid AS INT)) AS user_id, as_of() - INTERVAL 7 DAY AS valid_from,
  age_band_between(TRY_CAST(age AS DOUBLE), TRY_CAST(age AS DOUBLE)) AS age_band,
  CASE WHEN age IS NULL THEN 'none' ELSE 'age' END AS verification, 'active' AS account_state, 'today' AS activity,
  CASE gender WHEN '1' THEN 'man' ELSE 'woman' END AS gender,
  [CASE gender WHEN '1' THEN 'woman' ELSE 'man' END] AS meets_genders,
  ['en'] AS languages, 'America/New_York' AS tz
FROM participants ORDER BY CAST(iid AS INT)
