-- What a row of parts counts as, so many times; in the order of the columns of part_counts.
CREATE FUNCTION linewatch_counted(part parts, times bigint) RETURNS part_counts
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ROW(part.slice_at, part.shift_at, part.line, part.product, part.lot, part.work_order,
  part.model_version, part.disposition, part.classes, part.decided_by, part.why,
  part.model_disposition, part.pass_number > 1, part.serial <> '', part.by_receipt,
  part.shift_ends_at, part.shift, part.plant_day, times)::part_counts
