WITH given AS (
  SELECT *, canonical_id(member_no) AS id, utc(EndDate, NULL, 'dmy') AS ended, lower(trim(household)) AS home,
         lower(trim(gender)) AS sex,
         CASE WHEN regexp_full_match(birth_year, '2[7-9]|[3-9]\d') THEN 1900 + CAST(birth_year AS INT)
              ELSE TRY_CAST(regexp_extract(birth_year, '^(?:born )?(\d{4})$', 1) AS INT) END AS born
  FROM responses
), numbered AS (
  SELECT *, row_number() OVER (PARTITION BY id, Status, Finished ORDER BY ended DESC) AS newest,
         CASE WHEN born BETWEEN 1906 AND 2026 THEN born END AS year
  FROM given
)
SELECT
  id AS user_id,
  CASE WHEN Status <> 'IP Address' THEN 'preview' WHEN Finished <> 'True' THEN 'unfinished' WHEN newest > 1 THEN 'older_row'
       WHEN account = 'left' THEN 'left' END AS set_aside,
  token('email', email) AS person_token,
  CASE WHEN lower(id_check) = 'yes' THEN 'id' END AS verification,
  CASE WHEN lower(id_check) = 'yes' THEN age_band_between(2025 - year, 2026 - year) END AS age_band,
  MAP {'active': 'active', 'paused': 'paused'}[account] AS account_state,
  activity(utc(last_seen, NULL, 'dmy')) AS activity,
  CASE WHEN sex IN ('female', 'f', 'woman') THEN 'woman' WHEN sex IN ('male', 'm', 'man') THEN 'man'
       WHEN sex IN ('non-binary', 'nonbinary', 'nb') THEN 'nonbinary' ELSE 'undisclosed' END AS gender,
  CASE WHEN home IN ('single', 'not in a relationship') THEN 'single' WHEN home IN ('married', 'separated') THEN home
       WHEN home IN ('partnered', 'in a relationship', 'living together') THEN 'partnered' END AS household_status,
  [MAP {'Somebody to talk to': 'conversation_only', 'A hobby, shared in person': 'hobby_companion',
    'A group, a class or a walk': 'group_activity', 'Support in a hard time': 'emotional_support'}[label]
    FOR label IN labels(purpose, ['Somebody to talk to', 'A hobby, shared in person', 'A group, a class or a walk',
    'Support in a hard time'])] AS intents,
  list_filter([MAP {'english': 'en', 'welsh': 'cy', 'french': 'fr'}[word]
    FOR word IN words(replace(lower(languages), ' and ', ','))], lambda word: word IS NOT NULL) AS languages,
  cell_of_place('GB', NULL, city) AS cell,
  CASE WHEN known(max_km) IS NULL THEN 20000 ELSE distance(max_km) END AS max_distance_km,
  CASE show_me_to WHEN 'Only people I liked' THEN 'liked_only' WHEN 'Everybody' THEN 'open' END AS discretion
FROM numbered
