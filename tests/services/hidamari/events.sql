WITH member AS (
  SELECT *, canonical_id(会員番号) AS id FROM kaiin WHERE regexp_full_match(canonical_id(会員番号), '\d{6}')
  QUALIFY row_number() OVER (PARTITION BY id ORDER BY 更新日時 DESC) = 1
), decision AS (
  SELECT DISTINCT canonical_id(送信者) AS actor, canonical_id(受信者) AS target, known(種別) AS kind, utc(送信日時) AS ts FROM iine
)
SELECT concat_ws('-', actor, target, kind, epoch_ms(ts)) AS event_id, ts, actor, target,
       MAP {'1': 'like', '2': 'pass'}[kind] AS type, NULL AS detail,
       CASE WHEN actor = target THEN 'to oneself' WHEN ts > as_of() THEN 'after the export'
            WHEN actor NOT IN (SELECT id FROM member) OR target NOT IN (SELECT id FROM member) THEN 'no member'
       END AS set_aside
FROM decision
UNION ALL
SELECT id || '-terms', utc(登録日時), id, NULL, 'terms_accepted', NULL, NULL FROM member
UNION ALL
SELECT id || '-proof', utc(登録日時), id, NULL, 'verified', MAP {'2': 'age', '3': 'id'}[known(本人確認状況)], NULL
FROM member WHERE known(本人確認状況) IN ('2', '3')
