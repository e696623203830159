SELECT canonical_id(会員番号) AS actor, canonical_id(相手会員番号) AS target, min(utc(登録日時)) AS ts
FROM block WHERE known(解除日時) IS NULL GROUP BY ALL
