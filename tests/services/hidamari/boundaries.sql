WITH newest AS (
  SELECT *, canonical_id(会員番号) AS id FROM kaiin WHERE regexp_full_match(canonical_id(会員番号), '\d{6}')
    AND known(会員状態) NOT IN ('4', '9')
  QUALIFY row_number() OVER (PARTITION BY id ORDER BY 更新日時 DESC) = 1
)
SELECT id AS user_id,
  MAP {'毎日': 'daily', '週数回': 'few_week', '週1': 'weekly', 'それ以下': 'less'}[known(連絡頻度)] AS contact_frequency,
  flatten([windows(word) FOR word IN words(活動時間帯, ';')]) AS contact_windows,
  MAP {'1': 'none_expected', '2': 'talk_openly', '3': 'end_if_feelings'}[known(恋愛感情)] AS romance_line,
  MAP {'1': 'none'}[known(身体接触なし同意)] AS physical_line,
  MAP {'1': 'none', '2': 'split_bill'}[known(金銭)] AS financial_line
FROM newest
