SELECT canonical_id(会員番号) AS user_id, tag(タグ) AS tag, coalesce(likert(熱中度, 5), 3) AS level, 'both' AS share_mode
FROM hobby
