-- Add to the counts of parts by slice and by shift, in Python's order of strings, which is that of
-- every writer of these rows: workers that share rows queue, none deadlocks.
CREATE FUNCTION linewatch_add_counts(changes part_counts[]) RETURNS void
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  sums part_counts[];
BEGIN
  -- A batch is of few kinds, so what follows sorts few rows.
  SELECT array_agg(ROW(slice_at, shift_at, line, product, lot, work_order, model_version,
      disposition, classes, decided_by, why, model_disposition, again, serialised, by_receipt,
      shift_ends_at, shift, plant_day, parts)::part_counts) INTO sums
  FROM (
    SELECT slice_at, shift_at, line, product, lot, work_order, model_version, disposition, classes,
      decided_by, why, model_disposition, again, serialised, by_receipt, shift_ends_at, shift,
      plant_day, sum(parts)::bigint AS parts
    FROM unnest(changes)
    GROUP BY slice_at, shift_at, line, product, lot, work_order, model_version, disposition,
      classes, decided_by, why, model_disposition, again, serialised, by_receipt, shift_ends_at,
      shift, plant_day
    HAVING sum(parts) <> 0
  ) AS summed;
  IF sums IS NULL THEN
    RETURN;
  END IF;
  INSERT INTO part_counts (
    slice_at, shift_at, line, product, lot, work_order, model_version, disposition, classes,
    decided_by, why, model_disposition, again, serialised, by_receipt, shift_ends_at, shift,
    plant_day, parts)
  SELECT slice_at, max(shift_at), line, product, lot, work_order, model_version, disposition,
    classes, decided_by, why, model_disposition, again, serialised, by_receipt,
    max(shift_ends_at), max(shift), max(plant_day), sum(parts)
  FROM unnest(sums)
  GROUP BY slice_at, line, product, lot, work_order, model_version, disposition, classes,
    decided_by, why, model_disposition, again, serialised, by_receipt
  HAVING sum(parts) <> 0
  ORDER BY slice_at, line COLLATE "C", product COLLATE "C", lot COLLATE "C",
    work_order COLLATE "C", model_version COLLATE "C", disposition COLLATE "C",
    classes COLLATE "C", decided_by COLLATE "C", why COLLATE "C", model_disposition COLLATE "C",
    again, serialised, by_receipt
  ON CONFLICT (slice_at, line, product, lot, work_order, model_version, disposition, classes,
    decided_by, why, model_disposition, again, serialised, by_receipt)
  DO UPDATE SET parts = part_counts.parts + excluded.parts;

  INSERT INTO part_shift_counts (
    shift_at, line, product, lot, work_order, model_version, disposition, classes, decided_by, why,
    model_disposition, again, serialised, by_receipt, shift_ends_at, shift, plant_day, parts)
  SELECT shift_at, line, product, lot, work_order, model_version, disposition,
    classes, decided_by, why, model_disposition, again, serialised, by_receipt,
    max(shift_ends_at), max(shift), max(plant_day), sum(parts)
  FROM unnest(sums)
  GROUP BY shift_at, line, product, lot, work_order, model_version, disposition, classes,
    decided_by, why, model_disposition, again, serialised, by_receipt
  HAVING sum(parts) <> 0
  ORDER BY shift_at, line COLLATE "C", product COLLATE "C", lot COLLATE "C",
    work_order COLLATE "C", model_version COLLATE "C", disposition COLLATE "C",
    classes COLLATE "C", decided_by COLLATE "C", why COLLATE "C", model_disposition COLLATE "C",
    again, serialised, by_receipt
  ON CONFLICT (shift_at, line, product, lot, work_order, model_version, disposition, classes,
    decided_by, why, model_disposition, again, serialised, by_receipt)
  DO UPDATE SET parts = part_shift_counts.parts + excluded.parts;
END $$
