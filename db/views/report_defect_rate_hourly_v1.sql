-- How an hour went at a camera. Sum the counts over whatever you group by, and divide again:
-- rates of groups are no averages of rates. hour is the instant at which the plant's hour began.
SELECT
    hour,
    product,
    line,
    camera,
    lot,
    CAST(SUM(CASE WHEN verdict IN ('pass', 'defect', 'review') THEN count ELSE 0 END) AS BIGINT) AS inspected,
    CAST(SUM(CASE WHEN verdict = 'pass' THEN count ELSE 0 END) AS BIGINT) AS passed,
    CAST(SUM(CASE WHEN verdict = 'defect' THEN count ELSE 0 END) AS BIGINT) AS defects,
    CAST(SUM(CASE WHEN verdict = 'review' THEN count ELSE 0 END) AS BIGINT) AS review,
    CAST(SUM(CASE WHEN verdict = 'rejected' THEN count ELSE 0 END) AS BIGINT) AS rejected,
    CAST(SUM(CASE WHEN verdict = 'dead_letter' THEN count ELSE 0 END) AS BIGINT) AS dead_letter,
    CAST(SUM(CASE WHEN verdict = 'defect' THEN count ELSE 0 END) AS DOUBLE PRECISION)
        / NULLIF(SUM(CASE WHEN verdict IN ('pass', 'defect') THEN count ELSE 0 END), 0) AS defect_rate
FROM inspection_hourly
GROUP BY hour, product, line, camera, lot;
