WITH wanted AS (
  SELECT person_id, list(MAP {1: 'man', 9: 'man', 2: 'woman', 8: 'woman', 3: 'nonbinary', 4: 'nonbinary', 5: 'nonbinary',
    6: 'nonbinary', 7: 'nonbinary', 10: 'undisclosed'}[gender_id]) AS genders
  FROM search_preference_gender GROUP BY person_id
), banned AS (SELECT normalized_email FROM banned_person WHERE utc(expires_at) > as_of())
SELECT
  canonical_id(person.id) AS user_id,
  CASE WHEN list_contains(roles, 'bot') THEN 'bot' END AS set_aside,
  token('email', normalized_email) AS person_token,
  CASE WHEN verified_age THEN CASE verification_level_id WHEN 3 THEN 'id_liveness' ELSE 'age' END END AS verification,
  CASE WHEN verified_age THEN age_band(date_of_birth) END AS age_band,
  CASE WHEN verified_age THEN age_years(date_of_birth) END AS age_years,
  age_bands(min_age, max_age) AS accepts_age_bands, greatest(min_age, 18) AS min_age_years, max_age AS max_age_years,
  CASE WHEN normalized_email IN (SELECT normalized_email FROM banned) THEN 'banned'
       WHEN activated THEN 'active' ELSE 'paused' END AS account_state,
  activity(utc(last_online_time)) AS activity,
  coalesce(MAP {1: 'man', 9: 'man', 2: 'woman', 8: 'woman', 10: 'undisclosed'}[gender_id], 'nonbinary') AS gender,
  genders AS meets_genders,
  MAP {2: 'single', 3: 'partnered', 4: 'partnered', 5: 'married', 6: 'single', 7: 'single'}[relationship_status_id]
    AS household_status,
  MAP {5: ['conversation_only', 'hobby_companion'], 6: ['conversation_only'],
    7: ['hobby_companion', 'group_activity']}[looking_for_id] AS intents,
  coalesce(cell(point_latitude(coordinates), point_longitude(coordinates)),
    cell_of_place(split_part(location_long_friendly, ', ', -1), NULL, split_part(location_long_friendly, ', ', 1))) AS cell,
  coalesce(zone_of(point_latitude(coordinates), point_longitude(coordinates)),
    zone_of_place(split_part(location_long_friendly, ', ', -1), NULL, split_part(location_long_friendly, ', ', 1))) AS tz,
  CASE WHEN far.distance IS NULL THEN 20000 ELSE distance(far.distance) END AS max_distance_km,
  CASE WHEN hide_me_from_strangers THEN 'liked_only' ELSE 'open' END AS discretion
FROM person
LEFT JOIN wanted ON wanted.person_id = person.id
LEFT JOIN search_preference_age AS ages ON ages.person_id = person.id
LEFT JOIN search_preference_distance AS far ON far.person_id = person.id
