WITH newest AS (
  SELECT *, canonical_id(member_no) AS id FROM responses
  WHERE Status = 'IP Address' AND Finished = 'True'
  QUALIFY row_number() OVER (PARTITION BY id ORDER BY utc(EndDate, NULL, 'dmy') DESC) = 1
)
SELECT id AS user_id,
  MAP {'Daily': 'daily', 'A few times a week': 'few_week', 'Weekly': 'weekly', 'Less': 'less'}[contact] AS contact_frequency,
  flatten([windows(word) FOR word IN words(coalesce(times, 'every day evening,weekend days'), ',')]) AS contact_windows,
  MAP {'Not expected': 'none_expected', 'Talk about it openly': 'talk_openly', 'Then we stop': 'end_if_feelings'}[romance]
    AS romance_line,
  MAP {'Nothing physical': 'none'}[physical] AS physical_line,
  MAP {'No money at all': 'none', 'Everybody pays for themselves': 'split_bill'}[money] AS financial_line
FROM newest WHERE account <> 'left'
