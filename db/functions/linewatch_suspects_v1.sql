-- Serial numbers of which sums do not prove the rows of parts, in one piece of the history: pictures
-- with ids from one up to another, and parts made at those times. Pictures and rows are added up by
-- all on which they agree; what was one pass, of which people said nothing, is proven by that. A part
-- whose pictures lie in two pieces is a suspect in both. Pieces, since millions do not fit in memory.
CREATE FUNCTION linewatch_suspects(first uuid, last uuid, begins timestamptz, ends timestamptz)
RETURNS TABLE (product text, serial text)
LANGUAGE plpgsql STABLE SET jit = off SET work_mem = '128MB' AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  WITH own AS MATERIALIZED (
    SELECT DISTINCT line FROM shift_spans
  ), rules AS MATERIALIZED (
    SELECT p.code AS product, nullif(p.options -> 'views', 'null') AS expected,
      make_interval(secs => coalesce((p.options ->> 'pass_gap_s')::float8, 3600)) AS gap,
      coalesce(p.options ->> 'serial_unique_within', 'product') AS within
    FROM products AS p
  ), sides AS (
    SELECT coalesce(i.product, '') AS product, i.part AS serial, coalesce(i.line, '') AS line,
      coalesce(i.lot, '') AS lot, coalesce(i.work_order, '') AS work_order,
      coalesce(i.model_version, '') AS model_version,
      coalesce(i.by_receipt, linewatch_made_at(i.captured_at, i.decided_at)
        IS DISTINCT FROM i.captured_at) AS by_receipt,
      1 AS views, coalesce(i.made_at, linewatch_made_at(i.captured_at, i.decided_at)) AS made_at,
      linewatch_rank(i.verdict) AS rank,
      CASE i.verdict WHEN 'defect' THEN coalesce(i.defect_class, '') END AS class,
      CASE WHEN r.expected ? coalesce(i.camera, '') THEN (SELECT 1 << (e.place - 1)::integer
        FROM jsonb_array_elements_text(r.expected) WITH ORDINALITY AS e(view, place)
        WHERE e.view = coalesce(i.camera, '') LIMIT 1) END AS seen,
      i.pass_number IS NULL AND i.views IS NULL AND i.purpose IS DISTINCT FROM 'challenge'
        AND l.inspection_id IS NULL AS is_plain,
      NULL::timestamptz AS row_made_at, NULL::timestamptz AS row_last_at, NULL::integer AS row_rank,
      NULL::text AS row_class
    FROM inspections AS i
    LEFT JOIN rules AS r ON r.product = i.product
    LEFT JOIN (SELECT DISTINCT inspection_id FROM labels) AS l ON l.inspection_id = i.id
    WHERE i.id >= first AND i.id < last AND i.part <> ''
    UNION ALL
    SELECT p.product, p.serial, p.line, p.lot, p.work_order, p.model_version, p.by_receipt,
      -p.views, NULL, NULL, NULL, NULL,
      (p.pass_number = 1 AND p.scope = CASE r.within WHEN 'lot' THEN p.lot ELSE '' END
        AND r.within IS DISTINCT FROM 'day' AND p.model_disposition = p.disposition
        AND p.model_classes = p.classes AND (p.classes = '' OR p.disposition = 'nonconforming')
        AND p.decided_by = CASE p.disposition WHEN 'open' THEN '' ELSE 'model' END
        AND p.why = ANY (CASE p.disposition WHEN 'open' THEN '{review,rejected}' ELSE '{""}' END::text[])
        AND d.product IS NULL AND p.made_at >= s.starts_at AND p.made_at < s.ends_at
        AND p.slice_at = greatest(date_bin('15 minutes', p.made_at, 'epoch'), s.starts_at)
        AND p.shift_ends_at = s.ends_at AND p.shift = s.shift AND p.plant_day = s.plant_day) IS TRUE,
      p.made_at, p.last_at,
      CASE p.disposition WHEN 'nonconforming' THEN 3 WHEN 'conforming' THEN 0
        ELSE CASE p.why WHEN 'review' THEN 2 ELSE 1 END END,
      CASE p.disposition WHEN 'nonconforming' THEN p.classes END
    FROM parts AS p
    LEFT JOIN rules AS r ON r.product = p.product
    LEFT JOIN (SELECT DISTINCT d.product, d.part FROM decisions AS d) AS d
      ON d.product = p.product AND d.part = p.serial
    LEFT JOIN shift_spans AS s ON s.starts_at = p.shift_at
      AND s.line = CASE WHEN p.line IN (SELECT line FROM own) THEN p.line ELSE '' END
    WHERE p.made_at >= begins AND p.made_at < ends AND p.counted AND p.serial <> ''
  ), summed AS (
    SELECT product, serial, sum(views) AS views, min(made_at) AS made_at, max(made_at) AS last_at,
      max(rank) AS rank, min(class) AS class, max(class) AS last_class, bit_or(seen) AS seen,
      bool_and(is_plain) AS is_plain, count(row_made_at) AS rows, min(row_made_at) AS row_made_at,
      min(row_last_at) AS row_last_at, min(row_rank) AS row_rank, min(row_class) AS row_class
    FROM sides
    GROUP BY product, serial, line, lot, work_order, model_version, by_receipt
  )
  SELECT s.product::text, s.serial::text
  FROM summed AS s LEFT JOIN rules AS r ON r.product = s.product
  WHERE (s.rows = 1 AND s.views = 0 AND s.is_plain AND s.rank = s.row_rank
    AND (s.made_at, s.last_at) = (s.row_made_at, s.row_last_at)
    AND s.last_at - s.made_at <= coalesce(r.gap, interval '1 hour')
    AND (s.class, s.last_class) IS NOT DISTINCT FROM (s.row_class, s.row_class)
    AND (s.rank > 0 OR r.expected IS NULL
      OR bit_count(coalesce(s.seen, 0)::bit(32)) = jsonb_array_length(r.expected))
  ) IS NOT TRUE;
END $$
