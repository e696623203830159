-- The site's `available` is someone in a relationship; `unknown` stays unknown. Languages without a code are left out,
-- and so are those spoken poorly. Diet, drink, drugs, sign and the like are no business of a matching engine.
WITH code(name, tag) AS (VALUES
  ('afrikaans', 'af'), ('albanian', 'sq'), ('arabic', 'ar'), ('armenian', 'hy'), ('basque', 'eu'), ('belarusan', 'be'),
  ('bengali', 'bn'), ('breton', 'br'), ('bulgarian', 'bg'), ('catalan', 'ca'), ('chechen', 'ce'), ('chinese', 'zh'),
  ('croatian', 'hr'), ('czech', 'cs'), ('danish', 'da'), ('dutch', 'nl'), ('english', 'en'), ('esperanto', 'eo'),
  ('estonian', 'et'), ('farsi', 'fa'), ('finnish', 'fi'), ('french', 'fr'), ('frisian', 'fy'), ('georgian', 'ka'),
  ('german', 'de'), ('greek', 'el'), ('gujarati', 'gu'), ('hebrew', 'he'), ('hindi', 'hi'), ('hungarian', 'hu'),
  ('icelandic', 'is'), ('indonesian', 'id'), ('irish', 'ga'), ('italian', 'it'), ('japanese', 'ja'), ('khmer', 'km'),
  ('korean', 'ko'), ('latin', 'la'), ('latvian', 'lv'), ('lithuanian', 'lt'), ('malay', 'ms'), ('maori', 'mi'),
  ('mongolian', 'mn'), ('norwegian', 'no'), ('occitan', 'oc'), ('persian', 'fa'), ('polish', 'pl'), ('portuguese', 'pt'),
  ('romanian', 'ro'), ('russian', 'ru'), ('sanskrit', 'sa'), ('sardinian', 'sc'), ('serbian', 'sr'), ('slovak', 'sk'),
  ('slovenian', 'sl'), ('spanish', 'es'), ('swahili', 'sw'), ('swedish', 'sv'), ('tagalog', 'tl'), ('tamil', 'ta'),
  ('thai', 'th'), ('tibetan', 'bo'), ('turkish', 'tr'), ('ukrainian', 'uk'), ('urdu', 'ur'), ('vietnamese', 'vi'),
  ('welsh', 'cy'), ('yiddish', 'yi')
), site AS (SELECT *, row_number() OVER () - 1 AS nth FROM profiles), spoken AS (
  SELECT nth, list(DISTINCT tag ORDER BY tag) AS languages
  FROM (SELECT nth, unnest(string_split(speaks, ', ')) AS said FROM site) JOIN code ON name = split_part(said, ' (', 1)
  WHERE said NOT LIKE '% (poorly)' GROUP BY nth
)
SELECT printf('oc%05d', nth) AS user_id, as_of() AS valid_from,
  age_band_between(age, age) AS age_band, MAP {'f': 'woman', 'm': 'man'}[sex] AS gender,
  CASE orientation WHEN 'bisexual' THEN ['man', 'woman']
    WHEN 'gay' THEN [MAP {'f': 'woman', 'm': 'man'}[sex]] ELSE [MAP {'f': 'man', 'm': 'woman'}[sex]] END AS meets_genders,
  MAP {'single': 'single', 'available': 'partnered', 'seeing someone': 'partnered', 'married': 'married'}[status] AS household_status,
  languages, 'America/Los_Angeles' AS tz
FROM site LEFT JOIN spoken USING (nth) ORDER BY nth
