-- What is counted of parts against the parts themselves, from one quarter hour up to another, and
-- shifts against their slices: a row for each state, day, line and product that differs.
--   slices: counted wrongly. shifts: a shift is not the sum of its slices.
--   skipped: more is counted than pictures without a serial number are there, and some are purged.
-- With `mend`, the first two are made right. Whoever writes meanwhile moves parts and counts by the
-- same, so the difference found in one statement stays what is to be added. Counts from before the
-- first of their product are purged, and left alone, unless `everything` is wanted.
CREATE FUNCTION linewatch_recount(
  since timestamptz, until timestamptz, everything boolean, mend boolean
) RETURNS TABLE (state text, plant_day date, line text, product text, counted bigint, found bigint)
LANGUAGE plpgsql SECURITY DEFINER SET jit = off SET work_mem = '128MB' AS $$
#variable_conflict use_column
DECLARE
  longest_shift interval := '26 hours';  -- where the clock is put back in it
  changes part_counts[];
  shift_changes part_counts[];
  wrong json;
BEGIN
  WITH floors AS MATERIALIZED (
    SELECT product, min(shift_at) AS at FROM part_shift_counts WHERE NOT everything GROUP BY product
  ), horizons AS MATERIALIZED (  -- pictures of before it may be purged; of some products none are
    SELECT i.product, CASE WHEN i.pictures >= (
        SELECT coalesce(sum(h.count), 0) FROM inspection_hourly AS h WHERE h.product = i.product
      ) THEN '-infinity' ELSE i.at END AS at
    FROM (
      SELECT coalesce(i.product, '') AS product, count(*) AS pictures, min(i.decided_at) FILTER (
        WHERE coalesce(i.part, '') = ''
          AND NOT EXISTS (SELECT FROM labels AS l WHERE l.inspection_id = i.id)
          AND NOT EXISTS (SELECT FROM golden_items AS g WHERE g.inspection_id = i.id)) AS at
      FROM inspections AS i GROUP BY 1
    ) AS i
  ), backfilled AS MATERIALIZED (
    SELECT coalesce(until, '00000000-0000-0000-0000-000000000000') AS id
    FROM part_backfill WHERE name = 'parts' AND finished_at IS NULL
  ), singles AS (
    SELECT i.id FROM inspections AS i
    WHERE coalesce(i.part, '') = ''
      AND coalesce(i.made_at, linewatch_made_at(i.captured_at, i.decided_at)) >= since
      AND coalesce(i.made_at, linewatch_made_at(i.captured_at, i.decided_at)) < until
      AND (i.made_at IS NOT NULL OR NOT EXISTS (SELECT FROM backfilled AS b WHERE b.id < i.id))
      AND NOT EXISTS (
        SELECT FROM parts AS p WHERE p.product = coalesce(i.product, '') AND p.serial = ''
          AND p.scope = i.id::text AND p.pass_number = 1
      )
  ), sides AS (
    SELECT (linewatch_counted(p, 1)).*, 1 AS side FROM parts AS p
    WHERE p.counted AND p.slice_at >= since AND p.slice_at < until
    UNION ALL
    SELECT (c.counted).*, 1
    FROM linewatch_picture_counts(ARRAY(SELECT id FROM singles)) AS c
    UNION ALL
    SELECT c.*, -1 FROM part_counts AS c WHERE c.slice_at >= since AND c.slice_at < until
  ), compared AS (
    SELECT slice_at, line, product, lot, work_order, model_version, disposition, classes,
      decided_by, why, model_disposition, again, serialised, by_receipt,
      max(shift_at) AS shift_at, max(shift_ends_at) AS shift_ends_at, max(shift) AS shift,
      max(plant_day) AS plant_day, sum(parts * side)::bigint AS missing,
      coalesce(sum(parts) FILTER (WHERE side < 0), 0)::bigint AS was
    FROM sides
    GROUP BY slice_at, line, product, lot, work_order, model_version, disposition, classes,
      decided_by, why, model_disposition, again, serialised, by_receipt
    HAVING sum(parts * side) <> 0
  ), judged AS MATERIALIZED (
    SELECT c.*, CASE WHEN NOT c.serialised AND c.missing < 0 AND (h.at IS NULL OR c.slice_at < h.at)
      THEN 'skipped'
      ELSE 'slices' END AS state
    FROM compared AS c
    LEFT JOIN floors AS f ON f.product = c.product
    LEFT JOIN horizons AS h ON h.product = c.product
    WHERE everything OR c.shift_at >= f.at
  ), shift_sides AS (
    SELECT c.*, 1 AS side FROM part_counts AS c
    WHERE c.shift_at >= since - longest_shift AND c.shift_at < until
    UNION ALL
    SELECT shift_at, shift_at, line, product, lot, work_order, model_version, disposition, classes,
      decided_by, why, model_disposition, again, serialised, by_receipt, shift_ends_at, shift,
      plant_day, parts, -1
    FROM part_shift_counts AS s
    WHERE s.shift_at >= since - longest_shift AND s.shift_at < until
  ), shifts AS MATERIALIZED (
    SELECT shift_at, line, product, lot, work_order, model_version, disposition, classes,
      decided_by, why, model_disposition, again, serialised, by_receipt,
      max(shift_ends_at) AS shift_ends_at, max(shift) AS shift, max(plant_day) AS plant_day,
      sum(parts * side)::bigint AS missing,
      coalesce(sum(parts) FILTER (WHERE side < 0), 0)::bigint AS was
    FROM shift_sides
    GROUP BY shift_at, line, product, lot, work_order, model_version, disposition, classes,
      decided_by, why, model_disposition, again, serialised, by_receipt
    HAVING sum(parts * side) <> 0
  )
  SELECT
    (SELECT array_agg(ROW(slice_at, shift_at, line, product, lot, work_order, model_version,
      disposition, classes, decided_by, why, model_disposition, again, serialised, by_receipt,
      shift_ends_at, shift, plant_day, missing)::part_counts) FROM judged WHERE state = 'slices'),
    (SELECT array_agg(ROW(shift_at, shift_at, line, product, lot, work_order, model_version,
      disposition, classes, decided_by, why, model_disposition, again, serialised, by_receipt,
      shift_ends_at, shift, plant_day, missing)::part_counts) FROM shifts),
    (SELECT json_agg(one) FROM (
      SELECT state, plant_day, line, product, sum(was) AS counted, sum(was + missing) AS found
      FROM (
        SELECT state, plant_day, line, product, was, missing FROM judged
        UNION ALL SELECT 'shifts', plant_day, line, product, was, missing FROM shifts
      ) AS every
      GROUP BY state, plant_day, line, product
    ) AS one)
  INTO changes, shift_changes, wrong;
  IF mend THEN
    PERFORM linewatch_add_counts(changes);
    INSERT INTO part_shift_counts (
      shift_at, line, product, lot, work_order, model_version, disposition, classes, decided_by,
      why, model_disposition, again, serialised, by_receipt, shift_ends_at, shift, plant_day, parts)
    SELECT shift_at, line, product, lot, work_order, model_version, disposition, classes,
      decided_by, why, model_disposition, again, serialised, by_receipt, shift_ends_at, shift,
      plant_day, parts
    FROM unnest(shift_changes)
    ORDER BY shift_at, line COLLATE "C", product COLLATE "C", lot COLLATE "C",
      work_order COLLATE "C", model_version COLLATE "C", disposition COLLATE "C",
      classes COLLATE "C", decided_by COLLATE "C", why COLLATE "C", model_disposition COLLATE "C",
      again, serialised, by_receipt
    ON CONFLICT (shift_at, line, product, lot, work_order, model_version, disposition, classes,
      decided_by, why, model_disposition, again, serialised, by_receipt)
    DO UPDATE SET parts = part_shift_counts.parts + excluded.parts;
  END IF;
  RETURN QUERY SELECT r.* FROM json_to_recordset(coalesce(wrong, '[]')) AS r(
    state text, plant_day date, line text, product text, counted bigint, found bigint)
  ORDER BY r.plant_day, r.line, r.product, r.state;
END $$
