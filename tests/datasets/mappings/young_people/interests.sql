-- Our tag for each interest but religion, which is a creed and enters no block. Of items that are one interest of the
-- catalogue the higher answer counts; an interests table holds 30 a person.
WITH named(name, label) AS (VALUES
  ('History', 'history'), ('Psychology', 'psychology'), ('Politics', 'economics_society'), ('Mathematics', 'mathematics'),
  ('Physics', 'physics'), ('Internet', 'internet'), ('PC', 'technology'), ('Economy Management', 'economy and management'),
  ('Biology', 'science'), ('Chemistry', 'chemistry'), ('Reading', 'poetry'), ('Geography', 'geography'),
  ('Foreign languages', 'languages'), ('Medicine', 'medicine'), ('Law', 'law'), ('Cars', 'driving'),
  ('Art exhibitions', 'museums'), ('Countryside, outdoors', 'outdoors'), ('Dancing', 'dance'), ('Musical instruments', 'music'),
  ('Writing', 'writing'), ('Passive sport', 'sports'), ('Active sport', 'team_sports'), ('Gardening', 'gardening'),
  ('Celebrities', 'celebrities'), ('Shopping', 'shopping'), ('Science and technology', 'science and technology'), ('Theatre', 'theatre'),
  ('Fun with friends', 'fun with friends'), ('Adrenaline sports', 'adrenaline sports'), ('Pets', 'animals')
), item AS (SELECT *, row_number() OVER () AS place FROM named), people AS (SELECT *, row_number() OVER () - 1 AS nth FROM "young-people-survey"), rated AS (
  UNPIVOT people ON COLUMNS(* EXCLUDE (nth)) INTO NAME name VALUE answer
), best AS (
  SELECT nth, tag(label) AS tag, min(place) AS place, max(TRY_CAST(answer AS INT)) AS level FROM rated JOIN item USING (name) GROUP BY nth, tag(label)
)
SELECT printf('yp%04d', nth) AS user_id, tag, level FROM best
QUALIFY row_number() OVER (PARTITION BY nth ORDER BY level DESC, place) <= 30 ORDER BY nth, level DESC, place
