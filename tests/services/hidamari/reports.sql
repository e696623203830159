SELECT canonical_id(通報者) AS actor, canonical_id(対象者) AS target, utc(通報日時) AS ts,
  coalesce(MAP {'1': 'money', '2': 'money', '3': 'harassment', '4': 'impersonation', '5': 'minor', '6': 'exposure'}
    [known(理由コード)], 'other') AS category
FROM tsuho
