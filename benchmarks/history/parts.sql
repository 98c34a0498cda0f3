-- Parts and their counts from the facts, set-based, for a plant whose parts come again after a day.
-- Independent of linewatch_settle, which must find nothing to change in it. The plant's calendar is
-- not the one that a new database has, whose shifts would overlap these.
DELETE FROM shift_spans;
UPDATE shift_calendars SET spec = replace(replace(replace(spec::text,
  '06:00', '05:50'), '14:00', '13:50'), '22:00', '21:50')::jsonb;
INSERT INTO shift_spans (line, starts_at, ends_at, shift, plant_day)
SELECT '', at, at + interval '8 hours',
  CASE extract(hour FROM at AT TIME ZONE 'UTC') WHEN 5 THEN 'early' WHEN 13 THEN 'late' ELSE 'night' END,
  (at AT TIME ZONE 'UTC')::date
FROM generate_series(
  date_trunc('day', %(start)s::timestamptz, 'UTC') - interval '2 days 130 minutes',
  now() + interval '2 years', interval '8 hours') AS at;

CREATE TEMP TABLE passes AS
SELECT i.product, coalesce(part, '') AS serial, CASE WHEN part IS NULL THEN i.id::text ELSE '' END AS scope,
  CASE WHEN part IS NOT NULL AND made_at > began + interval '12 hours' THEN 2 ELSE 1 END AS pass_number,
  count(*)::integer AS views, min(i.line) AS line, min(i.lot) AS lot, min(work_order) AS work_order,
  coalesce(min(model_version), '') AS model_version, min(made_at) AS made_at, max(made_at) AS last_at,
  coalesce(min(made_at) FILTER (WHERE by_receipt)
    < coalesce(min(made_at) FILTER (WHERE NOT by_receipt), 'infinity'), false) AS by_receipt,
  max(v.model_rank) AS model_rank, min(v.model_class) AS model_low, max(v.model_class) AS model_high,
  max(v.rank) AS rank, min(v.class) AS low, max(v.class) AS high, bool_or(v.labelled) AS labelled,
  bool_or(v.labelled AND v.rank = 3) AS defect_labelled
FROM inspections AS i
LEFT JOIN labels AS l ON l.inspection_id = i.id
CROSS JOIN LATERAL (SELECT
  %(start)s::timestamptz + substr(coalesce(part, 'S0'), 2)::bigint * %(apart)s::interval AS began,
  CASE verdict WHEN 'defect' THEN 3 WHEN 'review' THEN 2 WHEN 'pass' THEN 0 ELSE 1 END AS model_rank,
  CASE verdict WHEN 'defect' THEN defect_class END AS model_class,
  CASE WHEN label IS NOT NULL THEN CASE label WHEN 'good' THEN 0 ELSE 3 END
    WHEN verdict = 'defect' THEN 3 WHEN verdict = 'review' THEN 2 WHEN verdict = 'pass' THEN 0 ELSE 1
    END AS rank,
  CASE WHEN label IS NOT NULL THEN nullif(label, 'good') WHEN verdict = 'defect' THEN defect_class
    END AS class,
  label IS NOT NULL AS labelled) AS v
GROUP BY 1, 2, 3, 4;

CREATE TEMP TABLE settled AS
SELECT p.product, serial, scope, p.pass_number, true AS counted, views, line, lot, work_order,
  model_version, coalesce(d.disposition, o.disposition) AS disposition,
  CASE WHEN d.id IS NOT NULL THEN coalesce(d.defect_class, '')
    WHEN rank = 3 THEN low || CASE WHEN high <> low THEN '+' || high ELSE '' END ELSE '' END AS classes,
  CASE WHEN d.id IS NOT NULL THEN 'person' WHEN rank IN (1, 2) THEN ''
    WHEN defect_labelled OR (rank = 0 AND labelled) THEN 'person' ELSE 'model' END AS decided_by,
  CASE WHEN d.id IS NOT NULL THEN '' WHEN rank = 2 THEN 'review' WHEN rank = 1 THEN 'rejected'
    ELSE '' END AS why,
  CASE model_rank WHEN 3 THEN 'nonconforming' WHEN 0 THEN 'conforming' ELSE 'open' END
    AS model_disposition,
  CASE WHEN model_rank = 3
    THEN model_low || CASE WHEN model_high <> model_low THEN '+' || model_high ELSE '' END
    ELSE '' END AS model_classes,
  made_at, last_at, by_receipt, greatest(quarter, shift_at) AS slice_at, shift_at,
  shift_at + interval '8 hours' AS shift_ends_at,
  CASE extract(hour FROM shift_at AT TIME ZONE 'UTC') WHEN 5 THEN 'early' WHEN 13 THEN 'late'
    ELSE 'night' END AS shift,
  (shift_at AT TIME ZONE 'UTC')::date AS plant_day
FROM passes AS p
LEFT JOIN decisions AS d ON d.product = p.product AND d.part = p.serial AND d.pass_number = p.pass_number
CROSS JOIN LATERAL (SELECT CASE rank WHEN 3 THEN 'nonconforming' WHEN 0 THEN 'conforming'
    ELSE 'open' END AS disposition,
  date_bin('15 minutes', made_at, '2000-01-01 00:00Z') AS quarter,
  date_bin('8 hours', made_at, '2000-01-01 05:50Z') AS shift_at) AS o;

INSERT INTO parts (product, serial, scope, pass_number, counted, views, line, lot, work_order,
  model_version, disposition, classes, decided_by, why, model_disposition, model_classes, made_at,
  last_at, by_receipt, slice_at, shift_at, shift_ends_at, shift, plant_day)
SELECT product, serial, scope, pass_number, counted, views, line, lot, work_order,
  model_version, disposition, classes, decided_by, why, model_disposition, model_classes, made_at,
  last_at, by_receipt, slice_at, shift_at, shift_ends_at, shift, plant_day
FROM settled WHERE serial <> '' ORDER BY made_at;

INSERT INTO part_counts (slice_at, shift_at, line, product, lot, work_order, model_version,
  disposition, classes, decided_by, why, model_disposition, again, serialised, by_receipt,
  shift_ends_at, shift, plant_day, parts)
SELECT slice_at, shift_at, line, product, lot, work_order, model_version, disposition, classes,
  decided_by, why, model_disposition, pass_number > 1, serial <> '', by_receipt, shift_ends_at, shift,
  plant_day, count(*)
FROM settled GROUP BY slice_at, shift_at, line, product, lot, work_order, model_version, disposition,
  classes, decided_by, why, model_disposition, pass_number > 1, serial <> '', by_receipt,
  shift_ends_at, shift, plant_day
ORDER BY slice_at;

INSERT INTO part_shift_counts (shift_at, line, product, lot, work_order, model_version,
  disposition, classes, decided_by, why, model_disposition, again, serialised, by_receipt,
  shift_ends_at, shift, plant_day, parts)
SELECT shift_at, line, product, lot, work_order, model_version, disposition, classes,
  decided_by, why, model_disposition, again, serialised, by_receipt, shift_ends_at, shift,
  plant_day, sum(parts)
FROM part_counts GROUP BY shift_at, line, product, lot, work_order, model_version, disposition,
  classes, decided_by, why, model_disposition, again, serialised, by_receipt,
  shift_ends_at, shift, plant_day
ORDER BY shift_at;

INSERT INTO labelled_pictures (inspection_id, product, label, recorded_at, line, lot, model_version,
  verdict, defect_class, made_at)
SELECT i.id, l.product, l.label, l.recorded_at, i.line, i.lot, coalesce(i.model_version, ''),
  i.verdict, coalesce(i.defect_class, ''), i.made_at
FROM labels AS l JOIN inspections AS i ON i.id = l.inspection_id  -- each has one label
ORDER BY i.made_at;
