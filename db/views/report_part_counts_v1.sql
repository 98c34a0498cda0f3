-- Parts by the quarter hour in which they were made, cut where a shift of their line begins: sum
-- `parts` over whatever you group by. slice_at is the later of quarter_at and shift_starts_at.
SELECT
    slice_at,
    QUARTER_OF_SLICE AS quarter_at,
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
FROM part_counts
WHERE parts > 0;
