WITH newest AS (
  SELECT *, date_sub('year', CAST(created_time AS DATE), CAST(as_of() AS DATE)) AS years,
         row_number() OVER (PARTITION BY user_id ORDER BY last_modification_time DESC) AS nth
  FROM profiles
), member AS (
  SELECT users.id AS member, users.data AS flags, private_users.data AS secrets, last_online_time, newest.*
  FROM users LEFT JOIN newest ON newest.user_id = users.id
  LEFT JOIN private_users ON private_users.id = users.id LEFT JOIN user_activity ON user_activity.user_id = users.id
), proof AS (
  SELECT *, flags->>'$.checks.age.status' = 'passed' AS age_proved, flags->>'$.checks.id.status' = 'passed' AS id_proved FROM member
)
SELECT
  canonical_id(member) AS user_id,
  CASE WHEN nth > 1 THEN 'older_row' WHEN flags->>'$.testUser' = 'true' THEN 'test' WHEN flags->>'$.userDeleted' = 'true' THEN 'left'
       WHEN id IS NULL THEN 'no_profile' END AS set_aside,
  token('email', secrets->>'$.email') AS person_token,
  CASE WHEN age_proved AND id_proved THEN 'id' WHEN age_proved THEN 'age' END AS verification,
  CASE WHEN age_proved THEN
    CASE WHEN birth_date IS NOT NULL THEN age_band(birth_date) ELSE age_band_between(age + years, age + years + 1) END
  END AS age_band,
  CASE WHEN age_proved THEN age_years(birth_date) END AS age_years, age_bands(pref_age_min, pref_age_max) AS accepts_age_bands,
  CAST(greatest(pref_age_min, 18) AS INT) AS min_age_years, CAST(pref_age_max AS INT) AS max_age_years,
  CASE WHEN flags->>'$.isBannedFromPosting' = 'true' THEN 'banned'
       WHEN disabled OR NOT looking_for_matches THEN 'paused' ELSE 'active' END AS account_state,
  activity(last_online_time) AS activity,
  MAP {'female': 'woman', 'male': 'man', 'other': 'nonbinary'}[CAST(gender AS VARCHAR)] AS gender,
  [MAP {'female': 'woman', 'male': 'man', 'other': 'nonbinary'}[word] FOR word IN pref_gender] AS meets_genders,
  CASE WHEN list_contains(relationship_status, 'married') THEN 'married'
       WHEN list_has_any(relationship_status, ['long_term', 'casual', 'open']) THEN 'partnered'
       WHEN list_contains(relationship_status, 'single') THEN 'single' END AS household_status,
  list_distinct(flatten([coalesce(MAP {'friendship': ['conversation_only', 'hobby_companion'],
    'collaboration': ['hobby_companion', 'group_activity']}[word], []) FOR word IN pref_relation_styles])) AS intents,
  [MAP {'english': 'en', 'french': 'fr', 'german': 'de', 'japanese': 'ja', 'spanish': 'es', 'portuguese': 'pt',
    'dutch': 'nl', 'mandarin': 'zh'}[word] FOR word IN languages] AS languages,
  coalesce(cell(city_latitude, city_longitude), cell_of_place(country, region_code, city)) AS cell,
  coalesce(zone_of(city_latitude, city_longitude), zone_of_place(country, region_code, city)) AS tz,
  CASE WHEN pref_max_distance IS NULL THEN 20000 ELSE distance(pref_max_distance, 'miles') END AS max_distance_km
FROM proof
