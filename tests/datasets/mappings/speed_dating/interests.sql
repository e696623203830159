-- Ratings are 1 to 10; a few lie outside and are taken as the end. What the catalogue does not know is a free tag.
WITH activity(name, nth, tag) AS (VALUES
  ('sports', 1, 'team_sports'), ('tvsports', 2, 'watching_sports'), ('exercise', 3, 'gym'), ('dining', 4, 'free:dining out'),
  ('museums', 5, 'museums'), ('art', 6, 'visual_arts'), ('hiking', 7, 'hiking'), ('gaming', 8, 'games'),
  ('clubbing', 9, 'free:clubbing'), ('reading', 10, 'reading'), ('tv', 11, 'dramas'), ('theater', 12, 'theatre'),
  ('movies', 13, 'films'), ('concerts', 14, 'concerts'), ('music', 15, 'listening_music'), ('shopping', 16, 'free:shopping'),
  ('yoga', 17, 'yoga')
), rated AS (UNPIVOT participants ON sports, tvsports, exercise, dining, museums, art, hiking, gaming, clubbing, reading, tv,
  theater, movies, concerts, music, shopping, yoga INTO NAME name VALUE rating)
SELECT printf('sd%03d', CAST(iid AS INT)) AS user_id, tag,
  CAST(ceil(least(greatest(CAST(rating AS DOUBLE), 1), 10) / 2) AS INT) AS level
FROM rated JOIN activity USING (name) ORDER BY nth, CAST(iid AS INT)
