-- A shift of one day on one line, by product: first passes, rates, and the 95 % Wilson interval of
-- the defect rate. Rates of several shifts are no averages of these: sum the counts, divide again.
SELECT
    line,
    product,
    shift_starts_at,
    shift_ends_at,
    shift,
    plant_day,
    conforming + nonconforming + open_parts AS parts,
    conforming,
    nonconforming,
    open_parts AS open,
    by_model,
    by_person,
    reinspections,
    unserialised,
    by_receipt,
    nonconforming / NULLIF(decided, 0) AS rate,
    CASE WHEN decided > 0 AND nonconforming = 0 THEN 0.0 ELSE
        (nonconforming + 1.9207294103470627 - 1.959963984540054
            * SQRT(nonconforming * (decided - nonconforming) / NULLIF(decided, 0) + 0.9603647051735314))
        / (decided + 3.8414588206941254)
    END AS rate_low,
    CASE WHEN decided > 0 AND nonconforming = decided THEN 1.0 ELSE
        (nonconforming + 1.9207294103470627 + 1.959963984540054
            * SQRT(nonconforming * (decided - nonconforming) / NULLIF(decided, 0) + 0.9603647051735314))
        / (decided + 3.8414588206941254)
    END AS rate_high,
    nonconforming / NULLIF(decided + open_parts, 0) AS band_low,
    (nonconforming + open_parts) / NULLIF(decided + open_parts, 0) AS band_high,
    conforming / NULLIF(decided + open_parts, 0) AS first_pass_yield
FROM (
    SELECT
        line,
        product,
        shift_at AS shift_starts_at,
        shift_ends_at,
        shift,
        plant_day,
        CAST(COALESCE(SUM(parts) FILTER (WHERE NOT again AND disposition = 'conforming'), 0) AS BIGINT) AS conforming,
        CAST(COALESCE(SUM(parts) FILTER (WHERE NOT again AND disposition = 'nonconforming'), 0) AS BIGINT) AS nonconforming,
        CAST(COALESCE(SUM(parts) FILTER (WHERE NOT again AND disposition = 'open'), 0) AS BIGINT) AS open_parts,
        CAST(COALESCE(SUM(parts) FILTER (WHERE NOT again AND disposition <> 'open'), 0) AS DOUBLE PRECISION) AS decided,
        CAST(COALESCE(SUM(parts) FILTER (WHERE NOT again AND decided_by = 'model'), 0) AS BIGINT) AS by_model,
        CAST(COALESCE(SUM(parts) FILTER (WHERE NOT again AND decided_by = 'person'), 0) AS BIGINT) AS by_person,
        CAST(COALESCE(SUM(parts) FILTER (WHERE again), 0) AS BIGINT) AS reinspections,
        CAST(COALESCE(SUM(parts) FILTER (WHERE NOT again AND NOT serialised), 0) AS BIGINT) AS unserialised,
        CAST(COALESCE(SUM(parts) FILTER (WHERE NOT again AND by_receipt), 0) AS BIGINT) AS by_receipt
    FROM part_shift_counts
    WHERE parts > 0
    GROUP BY line, product, shift_at, shift_ends_at, shift, plant_day
) AS shifts;
