-- The same by whole shifts: for long ranges, and where only shifts and days matter.
SELECT
    line,
    product,
    lot,
    work_order,
    model_version,
    disposition,
    classes,
    decided_by,
    why,
    model_disposition,
    again AS reinspection,
    serialised,
    by_receipt,
    shift_at AS shift_starts_at,
    shift_ends_at,
    shift,
    plant_day,
    parts
FROM part_shift_counts
WHERE parts > 0;
