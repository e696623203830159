-- Fields of study and careers are the circles of a university.
WITH coded AS (UNPIVOT participants ON field_cd, career_c INTO NAME kind VALUE code)
SELECT split_part(kind, '_', 1) || '-' || CAST(CAST(code AS DOUBLE) AS INT) AS community_id,
  printf('sd%03d', CAST(iid AS INT)) AS user_id
FROM coded ORDER BY kind DESC, CAST(iid AS INT)
