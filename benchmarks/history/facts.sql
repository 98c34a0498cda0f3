-- Pictures of parts over some days, straight into `inspections`. Every number follows from the
-- part's own, so the same history comes out each time: u(n, salt) is uniform in [0, 1).
--
-- Four lines; each makes one lot in eight days, of one of three products; three cameras, 2 or 3 of
-- which see a part. Of 1,000 parts 40 come again a day later, and of 5 nobody read a serial; of
-- 1,000 pictures 10 are judged up to three days late and 1 has no time of its own.
INSERT INTO inspections (
  id, product, line, camera, part, lot, image_uri, image_sha256, captured_at, enqueued_at,
  decided_at, verdict, defect_class, confidence, model_version, attempt, reason, worker
  /* parts */ , work_order, made_at, by_receipt /* parts */)
SELECT
  (lpad(to_hex((extract(epoch FROM captured_at) * 1000)::bigint), 12, '0') || '7'
    || substr(h, 1, 3) || '8' || substr(h, 4, 15))::uuid,
  product, 'line-' || line, 'camera-' || camera,
  CASE WHEN serial THEN 'S' || lpad(n::text, 8, '0') END, lot,
  '/pictures/' || lot || '/camera-' || camera || '/' || h || '.jpg', h || md5(h),
  CASE WHEN u2 >= 0.001 THEN captured_at END, captured_at + interval '40 ms',
  captured_at + interval '500 ms' + CASE WHEN u2 > 0.99 THEN (u2 - 0.99) * 100 * interval '3 days'
    ELSE interval '0' END,
  verdict,
  CASE verdict WHEN 'pass' THEN 'good' WHEN 'defect' THEN defect WHEN 'review' THEN defect END,
  CASE WHEN verdict IN ('pass', 'defect', 'review') THEN 0.5 + u3 / 2 END,
  CASE WHEN verdict IN ('pass', 'defect', 'review')
    THEN product || '-' || 1 + floor(extract(epoch FROM made - %(start)s) / 86400 / 40) END,
  1,
  CASE verdict WHEN 'review' THEN 'uncertain' WHEN 'rejected' THEN 'corrupt'
    WHEN 'dead_letter' THEN 'timeout' END,
  'worker-1'
  /* parts */ , 'W-' || lot, CASE WHEN u2 >= 0.001 THEN captured_at ELSE captured_at + interval '500 ms' END, u2 < 0.001 /* parts */
FROM (
  SELECT *, made + camera * interval '300 ms' AS captured_at,
    md5(n || '/' || camera || '/' || pass) AS h,
    CASE
      WHEN u1 < 0.0002 THEN 'dead_letter' WHEN u1 < 0.002 THEN 'rejected'
      WHEN u1 < 0.017 THEN 'review'
      WHEN u(n, 3) < 0.02 AND u1 < 0.7 THEN 'defect' ELSE 'pass' END AS verdict,
    'defect-' || 1 + least(floor(8 * u(n, 4) * u(n, 4)), 7)
      + CASE WHEN camera = 3 AND u(n, 4) < 0.5 THEN 1 ELSE 0 END AS defect
  FROM (
    SELECT *, u(n * 8 + pass * 4 + camera, 5) AS u1,
      u(n * 8 + pass * 4 + camera, 6) AS u2, u(n * 8 + pass * 4 + camera, 7) AS u3,
      'product-' || (7 * line + floor(extract(epoch FROM born - %(start)s) / 86400 / 8)::int) %% 3
        AS product,
      'lot-' || line || '-' || floor(extract(epoch FROM born - %(start)s) / 86400 / 8)::int AS lot
    FROM (
      SELECT n, 1 + n %% 4 AS line, 0 AS pass, u(n, 1) >= 0.005 AS serial,
        2 + (u(n, 2) < 0.4)::int AS views,
        %(start)s + (n + u(n, 8)) * %(apart)s AS born,
        %(start)s + (n + u(n, 8)) * %(apart)s AS made
      FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
      UNION ALL
      SELECT n, 1 + n %% 4, 1, true, 2 + (u(n, 2) < 0.4)::int,
        %(start)s + (n + u(n, 8)) * %(apart)s,
        %(start)s + (n + u(n, 8)) * %(apart)s + interval '1 day'
      FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
      WHERE u(n, 9) < 0.04 AND u(n, 1) >= 0.005
    ) AS parts
    CROSS JOIN LATERAL generate_series(1, views) AS camera
    ORDER BY n
  ) AS pictures
) AS judged;
