WITH newest AS (
  SELECT *, canonical_id(会員番号) AS id FROM kaiin WHERE regexp_full_match(canonical_id(会員番号), '\d{6}')
    AND known(会員状態) NOT IN ('4', '9')
  QUALIFY row_number() OVER (PARTITION BY id ORDER BY 更新日時 DESC) = 1
), all_tokens AS (
  SELECT id AS user_id, 'phone' AS namespace, 'self' AS kind, token('phone', '+81' || substr(電話番号, 2)) AS hmac FROM newest
  UNION ALL SELECT id, 'email', 'self', token('email', メールアドレス) FROM newest
  UNION ALL SELECT id, 'employer', 'self', token('employer', 会社名) FROM newest
  UNION ALL SELECT canonical_id(会員番号), 'employer', 'exclude', token('employer', 見られたくない会社名) FROM kinshi_kaisha
)
SELECT DISTINCT * FROM all_tokens WHERE hmac IS NOT NULL
