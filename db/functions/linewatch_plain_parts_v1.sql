-- Rows of parts for those of some serial numbers, each given once, that are plain: pictures of one
-- pass that agree on everything but what they show, at most one class of defect, and nobody said
-- anything of them. Nearly all are, and this is all that there is to know of them; the others are
-- for linewatch_settle_facts, which gives the same for these, and takes much longer.
CREATE FUNCTION linewatch_plain_parts(products text[], serials text[]) RETURNS TABLE (
  product text, serial text, views integer, line text, lot text, work_order text,
  model_version text, disposition text, classes text, decided_by text, why text,
  model_disposition text, made_at timestamptz, last_at timestamptz, by_receipt boolean,
  slice_at timestamptz, shift_at timestamptz, shift_ends_at timestamptz, shift text, plant_day date
) LANGUAGE plpgsql STABLE ROWS 100 AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  WITH RECURSIVE calendars (line) AS (
    SELECT min(line::text) FROM shift_spans WHERE line > ''
    UNION ALL
    SELECT (SELECT min(s.line::text) FROM shift_spans AS s WHERE s.line > c.line)
    FROM calendars AS c WHERE c.line IS NOT NULL
  ), rules AS MATERIALIZED (
    SELECT w.product, nullif(p.options -> 'views', 'null') AS expected,
      make_interval(secs => coalesce((p.options ->> 'pass_gap_s')::float8, 3600)) AS gap
    FROM (SELECT DISTINCT product FROM unnest(products) AS w(product)) AS w
    LEFT JOIN products AS p ON p.code = w.product
    WHERE coalesce(p.options ->> 'serial_unique_within', 'product') = 'product'
  )
  SELECT w.product, w.serial, f.views, coalesce(f.line, ''), coalesce(f.lot, ''),
    coalesce(f.work_order, ''), coalesce(f.model_version, ''), o.disposition, coalesce(f.class, ''),
    CASE o.disposition WHEN 'open' THEN '' ELSE 'model' END,
    CASE WHEN o.disposition <> 'open' THEN '' WHEN f.rank = 2 THEN 'review'
      WHEN f.rank = 1 THEN 'rejected' ELSE 'incomplete' END,
    o.disposition, f.made_at, f.last_at, f.by_receipt, s.*
  FROM unnest(products, serials) AS w(product, serial)
  JOIN rules AS r ON r.product = w.product
  CROSS JOIN LATERAL (
    SELECT count(*)::integer AS views, min(i.line) AS line, min(i.lot) AS lot,
      min(i.work_order) AS work_order, min(nullif(i.model_version, '')) AS model_version,
      min(i.made_at) AS made_at, max(i.made_at) AS last_at, bool_or(i.by_receipt) AS by_receipt,
      max(linewatch_rank(i.verdict)) AS rank,
      min(CASE i.verdict WHEN 'defect' THEN coalesce(i.defect_class, '') END) AS class,
      jsonb_agg(coalesce(i.camera, '')) AS cameras,
      jsonb_agg(coalesce(i.views, r.expected))
        FILTER (WHERE coalesce(i.views, r.expected) IS NOT NULL) AS expected,
      bool_and(
        i.pass_number IS NULL AND i.purpose IS DISTINCT FROM 'challenge'
        AND NOT EXISTS (SELECT FROM labels AS l WHERE l.inspection_id = i.id)
      )
        AND min(coalesce(i.line, '')) = max(coalesce(i.line, ''))
        AND min(coalesce(i.lot, '')) = max(coalesce(i.lot, ''))
        AND min(coalesce(i.work_order, '')) = max(coalesce(i.work_order, ''))
        AND bool_and(i.by_receipt) = bool_or(i.by_receipt)
        AND min(nullif(i.model_version, '')) IS NOT DISTINCT FROM max(nullif(i.model_version, ''))
        AND min(CASE i.verdict WHEN 'defect' THEN coalesce(i.defect_class, '') END)
          IS NOT DISTINCT FROM max(CASE i.verdict WHEN 'defect' THEN coalesce(i.defect_class, '') END)
        AND max(i.made_at) - min(i.made_at) <= r.gap AS plain
    FROM (
      SELECT i.id, i.line, i.lot, i.work_order, i.model_version, i.verdict, i.defect_class, i.camera,
        i.views, i.pass_number, i.purpose, m.made_at,
        coalesce(i.by_receipt, m.made_at IS DISTINCT FROM i.captured_at) AS by_receipt
      FROM inspections AS i
      CROSS JOIN LATERAL (
        SELECT coalesce(i.made_at, linewatch_made_at(i.captured_at, i.decided_at))
      ) AS m(made_at)
      WHERE i.part = w.serial AND coalesce(i.product, '') = w.product OFFSET 0
    ) AS i
  ) AS f
  CROSS JOIN LATERAL (SELECT CASE WHEN f.rank = 3 THEN 'nonconforming'
    WHEN f.rank > 0 OR EXISTS (
      SELECT FROM jsonb_array_elements(f.expected) AS e(names) WHERE NOT f.cameras @> e.names
    ) THEN 'open' ELSE 'conforming' END) AS o(disposition)
  CROSS JOIN LATERAL (
    SELECT CASE WHEN f.line IN (SELECT c.line FROM calendars AS c WHERE c.line IS NOT NULL)
      THEN f.line ELSE '' END
  ) AS of_line(calendar)
  CROSS JOIN LATERAL linewatch_slice_of(of_line.calendar, f.made_at) AS s
  WHERE f.plain
    AND NOT EXISTS (SELECT FROM decisions AS d WHERE d.product = w.product AND d.part = w.serial)
    AND NOT EXISTS (
      SELECT FROM purged_views AS v WHERE v.product = w.product AND v.part = w.serial
    );
END $$
