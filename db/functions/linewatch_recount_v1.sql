-- What is counted of parts against the parts themselves, from one quarter hour up to another: a row for
-- each state, day, line and product that differs.
--   slices: counted wrongly.
--   skipped: more is counted than pictures without a serial number are there, and some are purged.
-- With `mend`, the first are made right. Whoever writes meanwhile moves parts and counts by the same,
-- so the difference found in one statement stays what is to be added. Counts from before the first of
-- their product are purged, and left alone, unless `everything` is wanted.
--
-- First the sum of what the parts of a slice mix to is held against that of its counts, since to group
-- millions of rows by all their words takes long; words are compared only where the sums differ.
CREATE FUNCTION linewatch_recount(
  since timestamptz, until timestamptz, everything boolean, mend boolean
) RETURNS TABLE (state text, plant_day date, line text, product text, counted bigint, found bigint)
LANGUAGE plpgsql SECURITY DEFINER SET jit = off SET work_mem = '128MB' SET enable_sort = off
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
  slices timestamptz[];
  changes part_counts[];
  wrong json;
BEGIN
  WITH backfilled AS MATERIALIZED (
    SELECT coalesce(until, '00000000-0000-0000-0000-000000000000') AS id
    FROM part_backfill WHERE name = 'parts' AND finished_at IS NULL
  ), singles AS (
    SELECT i.id FROM inspections AS i
    WHERE (i.part IS NULL OR i.part = '')
      AND coalesce(i.made_at, linewatch_made_at(i.captured_at, i.decided_at)) >= since
      AND coalesce(i.made_at, linewatch_made_at(i.captured_at, i.decided_at)) < until
      AND (i.made_at IS NOT NULL OR NOT EXISTS (SELECT FROM backfilled AS b WHERE b.id < i.id))
      AND NOT EXISTS (
        SELECT FROM parts AS p WHERE p.product = coalesce(i.product, '') AND p.serial = ''
          AND p.scope = i.id::text AND p.pass_number = 1
      )
  ), alone AS (
    SELECT (c.counted).* FROM linewatch_picture_counts(ARRAY(SELECT id FROM singles)) AS c
  ), mixed AS (
    SELECT p.slice_at, sum(linewatch_mix(p.line, p.product, p.lot, p.work_order,
      linewatch_mix(p.model_version, p.disposition, p.classes, p.decided_by,
        linewatch_mix(p.why, p.model_disposition, '', '', 
          (p.pass_number > 1)::integer + 2 * (p.serial <> '')::integer + 4 * p.by_receipt::integer)))) AS mix
    FROM parts AS p
    WHERE p.counted AND p.slice_at >= since AND p.slice_at < until
      AND (everything OR p.shift_at >= (SELECT min(shift_at) FROM part_shift_counts))
    GROUP BY p.slice_at
    UNION ALL
    SELECT slice_at, CASE WHEN is_count THEN -parts ELSE parts END * linewatch_mix(line, product, lot, work_order,
      linewatch_mix(model_version, disposition, classes, decided_by,
        linewatch_mix(why, model_disposition, '', '', 
          again::integer + 2 * serialised::integer + 4 * by_receipt::integer)))::numeric
    FROM (
      SELECT a.*, false AS is_count FROM alone AS a
      UNION ALL
      SELECT c.*, true FROM part_counts AS c WHERE c.slice_at >= since AND c.slice_at < until
    ) AS counted
    WHERE everything OR shift_at >= (SELECT min(shift_at) FROM part_shift_counts)
  )
  SELECT array_agg(slice_at) INTO slices
  FROM (SELECT slice_at FROM mixed GROUP BY slice_at HAVING sum(mix) <> 0) AS differing;
  IF slices IS NULL THEN RETURN; END IF;
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
    WHERE (i.part IS NULL OR i.part = '')
      AND coalesce(i.made_at, linewatch_made_at(i.captured_at, i.decided_at)) >= since
      AND coalesce(i.made_at, linewatch_made_at(i.captured_at, i.decided_at)) < until
      AND (i.made_at IS NOT NULL OR NOT EXISTS (SELECT FROM backfilled AS b WHERE b.id < i.id))
      AND NOT EXISTS (
        SELECT FROM parts AS p WHERE p.product = coalesce(i.product, '') AND p.serial = ''
          AND p.scope = i.id::text AND p.pass_number = 1
      )
  ), sides AS (
    SELECT (linewatch_counted(p, 1)).*, 1 AS side FROM parts AS p
    WHERE p.counted AND p.slice_at = ANY (slices)
    UNION ALL
    SELECT (c.counted).*, 1
    FROM linewatch_picture_counts(ARRAY(SELECT id FROM singles)) AS c
    WHERE (c.counted).slice_at = ANY (slices)
    UNION ALL
    SELECT c.*, -1 FROM part_counts AS c WHERE c.slice_at = ANY (slices)
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
    SELECT c.*, CASE WHEN NOT c.serialised AND c.missing < 0
        -- Asked for only then, since it reads all pictures.
        AND c.slice_at < coalesce(
          (SELECT h.at FROM horizons AS h WHERE h.product = c.product), 'infinity')
      THEN 'skipped'
      ELSE 'slices' END AS state
    FROM compared AS c
    LEFT JOIN floors AS f ON f.product = c.product
    WHERE everything OR c.shift_at >= f.at
  )
  SELECT
    (SELECT array_agg(ROW(slice_at, shift_at, line, product, lot, work_order, model_version,
      disposition, classes, decided_by, why, model_disposition, again, serialised, by_receipt,
      shift_ends_at, shift, plant_day, missing)::part_counts) FROM judged WHERE state = 'slices'),
    (SELECT json_agg(one) FROM (
      SELECT state, plant_day, line, product, sum(was) AS counted, sum(was + missing) AS found
      FROM judged GROUP BY state, plant_day, line, product
    ) AS one)
  INTO changes, wrong;
  IF mend THEN
    PERFORM linewatch_add_counts(changes);
  END IF;
  RETURN QUERY SELECT r.* FROM json_to_recordset(coalesce(wrong, '[]')) AS r(
    state text, plant_day date, line text, product text, counted bigint, found bigint)
  ORDER BY r.plant_day, r.line, r.product, r.state;
END $$
