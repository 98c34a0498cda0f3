-- Give pictures without a serial number a row in parts that says what is counted of them, where
-- they have none: what happens to them after their commit is a change of that row. Those of before
-- there were parts are not counted until the backfill comes to them.
CREATE FUNCTION linewatch_adopt(pictures uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  backfilled uuid;
BEGIN
  IF EXISTS (SELECT FROM inspections WHERE id = ANY (pictures) AND made_at IS NULL) THEN
    SELECT coalesce(until, '00000000-0000-0000-0000-000000000000') INTO backfilled
    FROM part_backfill WHERE name = 'parts' AND finished_at IS NULL FOR SHARE;
  END IF;
  INSERT INTO parts (product, serial, scope, pass_number, counted, views, line, lot,
    work_order, model_version, disposition, classes, decided_by, why, model_disposition,
    model_classes, made_at, last_at, by_receipt, slice_at, shift_at, shift_ends_at, shift, plant_day)
  SELECT (c).product, '', i.id::text, 1,
    i.made_at IS NOT NULL OR i.id <= backfilled OR backfilled IS NULL, 1, (c).line, (c).lot,
    (c).work_order, (c).model_version, (c).disposition, (c).classes, (c).decided_by, (c).why,
    (c).model_disposition, (c).classes, r.made_at, r.made_at, (c).by_receipt, (c).slice_at,
    (c).shift_at, (c).shift_ends_at, (c).shift, (c).plant_day
  FROM linewatch_picture_counts(pictures) AS r(picture, made_at, c)
  CROSS JOIN LATERAL (  -- OFFSET: see linewatch_settle
    SELECT id, made_at FROM inspections WHERE id = r.picture OFFSET 0
  ) AS i
  ORDER BY (c).product COLLATE "C", i.id::text COLLATE "C"
  ON CONFLICT DO NOTHING;
END $$
