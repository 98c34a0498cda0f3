-- Counts by shift against their slices, of shifts that began from a day and a bit before one time up to
-- another: a row for each day, line and product that differs. With `mend` they are made right: by the
-- difference, since whoever writes meanwhile moves both by the same.
CREATE FUNCTION linewatch_recount_shifts(since timestamptz, until timestamptz, mend boolean)
RETURNS TABLE (state text, plant_day date, line text, product text, counted bigint, found bigint)
LANGUAGE plpgsql SECURITY DEFINER SET jit = off SET work_mem = '128MB' AS $$
#variable_conflict use_column
DECLARE
  longest_shift interval := '26 hours';  -- where the clock is put back in it
  changes part_counts[];
  wrong json;
BEGIN
  WITH shift_sides AS (
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
    (SELECT array_agg(ROW(shift_at, shift_at, line, product, lot, work_order, model_version,
      disposition, classes, decided_by, why, model_disposition, again, serialised, by_receipt,
      shift_ends_at, shift, plant_day, missing)::part_counts) FROM shifts),
    (SELECT json_agg(one) FROM (
      SELECT 'shifts' AS state, plant_day, line, product, sum(was) AS counted,
        sum(was + missing) AS found
      FROM shifts GROUP BY plant_day, line, product
    ) AS one)
  INTO changes, wrong;
  IF mend THEN
    INSERT INTO part_shift_counts (
      shift_at, line, product, lot, work_order, model_version, disposition, classes, decided_by,
      why, model_disposition, again, serialised, by_receipt, shift_ends_at, shift, plant_day, parts)
    SELECT shift_at, line, product, lot, work_order, model_version, disposition, classes,
      decided_by, why, model_disposition, again, serialised, by_receipt, shift_ends_at, shift,
      plant_day, parts
    FROM unnest(changes)
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
