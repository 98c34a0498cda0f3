-- Defects by class, hour by hour, so that any period can be summed. Order by the sum, descending,
-- and accumulate it, to draw the Pareto chart.
SELECT
    hour,
    product,
    line,
    camera,
    lot,
    defect_class,
    CAST(SUM(count) AS BIGINT) AS defects
FROM inspection_hourly
WHERE verdict = 'defect'
GROUP BY hour, product, line, camera, lot, defect_class;
