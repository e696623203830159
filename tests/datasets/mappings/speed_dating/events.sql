-- Each looked nth the other, and an hour later each decided.
WITH met AS (
  SELECT *, row_number() OVER () AS nth, printf('sd%03d', CAST(f AS INT)) AS woman, printf('sd%03d', CAST(m AS INT)) AS man FROM pairs
), side AS (
  SELECT 0 AS side, nth, woman AS actor, man AS target, f_yes AS yes FROM met
  UNION ALL SELECT 1, nth, man, woman, m_yes FROM met
)
SELECT concat_ws('-', actor, target, step) AS event_id, as_of() + step * INTERVAL 1 HOUR AS ts, actor, target,
  CASE WHEN step = 0 THEN 'impression' WHEN yes = '1' THEN 'like' ELSE 'pass' END AS type, 'evening' AS surface
FROM side CROSS JOIN (VALUES (0), (1)) AS moment(step) ORDER BY side, step, nth
