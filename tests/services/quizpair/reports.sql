SELECT canonical_id(subject_person_id) AS actor, canonical_id(object_person_id) AS target, utc(created_at) AS ts,
  CASE WHEN contains(report_reason, 'money') THEN 'money' ELSE 'other' END AS category
FROM skipped WHERE reported
