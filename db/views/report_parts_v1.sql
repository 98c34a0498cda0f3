-- Every counted pass of a part, a row each: what became of it, and when and where it was made.
-- A picture without a serial number is here only once something happened to it after its commit;
-- report_part_counts has all of them. Passes after the first are reinspections, no parts more.
SELECT
    product,
    serial,
    scope,
    pass_number,
    pass_number > 1 AS reinspection,
    line,
    lot,
    work_order,
    model_version,
    disposition,
    classes,
    decided_by,
    why,
    model_disposition,
    model_classes,
    views,
    made_at,
    last_at,
    by_receipt,
    QUARTER_OF_SLICE AS quarter_at,
    shift_at AS shift_starts_at,
    shift_ends_at,
    shift,
    plant_day
FROM parts
WHERE counted;
