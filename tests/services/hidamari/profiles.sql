WITH numbered AS (
  SELECT *, canonical_id(会員番号) AS id,
         row_number() OVER (PARTITION BY canonical_id(会員番号) ORDER BY 更新日時 DESC) AS newest
  FROM kaiin
), banned AS (
  SELECT lower(known(メールアドレス)) AS mail FROM numbered WHERE newest = 1 AND known(会員状態) = '3'
)
SELECT
  id AS user_id,
  CASE WHEN id IS NULL OR NOT regexp_full_match(id, '\d{6}') THEN 'no_id' WHEN newest > 1 THEN 'older_row'
       WHEN known(会員状態) = '9' THEN 'test' WHEN known(会員状態) = '4' THEN 'left' END AS set_aside,
  token('email', メールアドレス) AS person_token,
  MAP {'2': 'age', '3': 'id'}[known(本人確認状況)] AS verification,
  CASE WHEN known(本人確認状況) IN ('2', '3') THEN age_band(生年月日) END AS age_band,
  CASE WHEN known(本人確認状況) IN ('2', '3') THEN age_years(生年月日) END AS age_years,
  age_bands(known(希望年齢下限), known(希望年齢上限)) AS accepts_age_bands,
  greatest(CAST(known(希望年齢下限) AS INT), 18) AS min_age_years, CAST(known(希望年齢上限) AS INT) AS max_age_years,
  CASE WHEN lower(known(メールアドレス)) IN (SELECT mail FROM banned) THEN 'banned'
       ELSE MAP {'1': 'active', '2': 'paused', '3': 'banned', '5': 'hold'}[known(会員状態)] END AS account_state,
  activity(utc(最終ログイン日時)) AS activity,
  MAP {'1': 'man', '2': 'woman', '3': 'nonbinary', '9': 'undisclosed'}[known(性別コード)] AS gender,
  CASE WHEN known(希望性別) IS NOT NULL THEN
    [MAP {'1': 'man', '2': 'woman'}[code] FOR code IN words(希望性別, '|')] END AS meets_genders,
  MAP {'1': 'single', '2': 'married', '3': 'separated', '4': 'single', '5': 'single'}[known(婚姻状況)] AS household_status,
  list_filter([MAP {'01': 'emotional_support', '02': 'conversation_only', '03': 'hobby_companion',
    '04': 'group_activity'}[code] FOR code IN words(利用目的, ',')], lambda word: word IS NOT NULL) AS intents,
  coalesce(cell_of_place('JP', 都道府県コード, 市区町村名), NULL) AS cell,
  CASE WHEN known(距離km) IS NULL THEN 20000 ELSE distance(距離km) END AS max_distance_km,
  MAP {'1': 'open', '2': 'liked_only'}[known(公開範囲)] AS discretion
FROM numbered
