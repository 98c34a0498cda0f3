-- Of serial numbers, those whose rows of parts made within a time one look at all facts does not say
-- to be right. Most are plain: pictures that agree on everything but what they show, of no pass that a
-- message numbers, with no decision on them. What is listed here is not wrong yet: linewatch_resettle
-- finds out. OFFSET: see linewatch_settle.
CREATE FUNCTION linewatch_unproven(
  products text[], serials text[], since timestamptz, until timestamptz
) RETURNS TABLE (product text, serial text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET jit = off SET work_mem = '64MB' AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  WITH wanted AS MATERIALIZED (
    SELECT DISTINCT product, serial FROM unnest(products, serials) AS w(product, serial)
  ), own AS MATERIALIZED (
    SELECT DISTINCT line FROM shift_spans
  ), rules AS MATERIALIZED (
    SELECT p.code AS product, nullif(p.options -> 'views', 'null') AS expected,
      make_interval(secs => coalesce((p.options ->> 'pass_gap_s')::float8, 3600)) AS gap,
      coalesce(p.options ->> 'serial_unique_within', 'product') AS within
    FROM products AS p
  ), pictured AS (
    SELECT i.id, w.product, w.serial, i.line, i.camera, i.lot,
      i.work_order, i.model_version, i.verdict, i.defect_class, i.pass_number, i.views, i.purpose,
      coalesce(i.made_at, linewatch_made_at(i.captured_at, i.decided_at)) AS made_at,
      coalesce(i.by_receipt, linewatch_made_at(i.captured_at, i.decided_at)
        IS DISTINCT FROM i.captured_at) AS by_receipt
    FROM wanted AS w CROSS JOIN LATERAL (
      SELECT * FROM inspections AS i
      WHERE i.part = w.serial AND coalesce(i.product, '') = w.product OFFSET 0
    ) AS i
    UNION ALL
    SELECT v.id, w.product, w.serial, v.line, v.camera, v.lot, v.work_order, v.model_version,
      v.verdict, v.defect_class, v.pass_number, v.views, v.purpose, v.made_at, v.by_receipt
    FROM wanted AS w CROSS JOIN LATERAL (
      SELECT * FROM purged_views AS v WHERE v.product = w.product AND v.part = w.serial OFFSET 0
    ) AS v
    WHERE NOT EXISTS (SELECT FROM inspections AS there WHERE there.id = v.id OFFSET 0)
  ), seen AS (
    SELECT i.*, r.expected AS of_product, coalesce(r.within, 'product') AS within, r.gap,
      CASE r.within WHEN 'lot' THEN coalesce(i.lot, '')
        WHEN 'day' THEN (
          SELECT s.plant_day::text FROM linewatch_slice(coalesce(i.line, ''), i.made_at) AS s)
        ELSE '' END COLLATE "C" AS scope,
      linewatch_rank(i.verdict) AS model_rank,
      CASE i.verdict WHEN 'defect' THEN coalesce(i.defect_class, '') END COLLATE "C" AS model_class,
      s.label IS NOT NULL AS labelled,
      CASE WHEN s.label IS NULL THEN linewatch_rank(i.verdict) WHEN s.good THEN 0 ELSE 3 END AS rank,
      CASE WHEN s.label IS NULL AND i.verdict = 'defect' THEN coalesce(i.defect_class, '')
        WHEN NOT s.good THEN s.label END COLLATE "C" AS class
    FROM pictured AS i
    LEFT JOIN rules AS r ON r.product = i.product
    LEFT JOIN LATERAL (
      SELECT label, EXISTS (
        SELECT FROM defect_classes AS c
        WHERE c.product = i.product AND c.code = labels.label AND c.good OFFSET 0
      ) AS good
      FROM labels WHERE inspection_id = i.id ORDER BY labelled_at DESC, labels.id DESC LIMIT 1
    ) AS s ON true
  ), begun AS (
    SELECT *, coalesce(made_at - lag(made_at) OVER w > coalesce(gap, interval '1 hour'), false)
      AS begins
    FROM seen WINDOW w AS (PARTITION BY product, serial, scope ORDER BY made_at, id)
  ), passed AS (
    SELECT *, 1 + count(*) FILTER (WHERE begins) OVER w AS pass
    FROM begun WINDOW w AS (PARTITION BY product, serial, scope ORDER BY made_at, id)
  ), found AS MATERIALIZED (
    SELECT product, serial, scope, pass, count(*)::integer AS views,
      min(coalesce(line, '')) AS line, min(coalesce(lot, '')) AS lot,
      min(coalesce(work_order, '')) AS work_order,
      coalesce(min(nullif(model_version, '')), '') AS model_version, min(made_at) AS made_at,
      max(made_at) AS last_at,
      (array_agg(by_receipt ORDER BY made_at, id))[1] AS by_receipt, max(model_rank) AS model_rank,
      max(rank) AS rank,
      coalesce(string_agg(DISTINCT model_class, '+' ORDER BY model_class), '')
        COLLATE "default" AS model_classes,
      coalesce(string_agg(DISTINCT class, '+' ORDER BY class), '') COLLATE "default" AS classes,
      bool_or(labelled) AS labelled, bool_or(labelled AND rank = 3) AS defect_labelled,
      jsonb_agg(coalesce(camera, '')) FILTER (WHERE coalesce(views, of_product) IS NOT NULL)
        @> min(coalesce(views, of_product)::text)::jsonb AS is_complete,
      count(coalesce(views, of_product)) IN (0, count(*))
        AND min(coalesce(views, of_product)::text)
          IS NOT DISTINCT FROM max(coalesce(views, of_product)::text)
        AND bool_and(pass_number IS NULL AND purpose IS DISTINCT FROM 'challenge')
        AND min(coalesce(line, '')) = max(coalesce(line, ''))
        AND min(coalesce(lot, '')) = max(coalesce(lot, ''))
        AND min(coalesce(work_order, '')) = max(coalesce(work_order, ''))
        AND min(nullif(model_version, '')) IS NOT DISTINCT FROM max(nullif(model_version, ''))
        AS plain
    FROM passed GROUP BY product, serial, scope, pass
  ), facts AS (
    SELECT f.*,
      f.plain AND NOT EXISTS (
        SELECT FROM decisions AS d WHERE d.product = f.product AND d.part = f.serial OFFSET 0
      ) AS is_plain,
      CASE WHEN f.model_rank = 3 THEN 'nonconforming'
        WHEN f.model_rank > 0 OR NOT coalesce(f.is_complete, true) THEN 'open'
        ELSE 'conforming' END AS model_disposition,
      CASE WHEN f.rank = 3 THEN 'nonconforming'
        WHEN f.rank > 0 OR NOT coalesce(f.is_complete, true) THEN 'open'
        ELSE 'conforming' END AS disposition
    FROM found AS f
  ), compared AS (
    SELECT coalesce(f.product, p.product) AS product, coalesce(f.serial, p.serial) AS serial,
      f.is_plain
        AND (f.views, f.line, f.lot, f.work_order, f.model_version, f.disposition,
          CASE f.rank WHEN 3 THEN f.classes ELSE '' END, f.model_disposition,
          CASE f.model_rank WHEN 3 THEN f.model_classes ELSE '' END, f.made_at, f.last_at,
          f.by_receipt)
        IS NOT DISTINCT FROM (p.views, p.line, p.lot, p.work_order, p.model_version, p.disposition,
          p.classes, p.model_disposition, p.model_classes, p.made_at, p.last_at, p.by_receipt)
        AND p.decided_by = CASE WHEN f.disposition = 'open' THEN ''
          WHEN f.defect_labelled OR (f.rank = 0 AND f.labelled) THEN 'person' ELSE 'model' END
        AND p.why = CASE WHEN f.disposition <> 'open' THEN '' WHEN f.rank = 2 THEN 'review'
          WHEN f.rank = 1 THEN 'rejected' ELSE 'incomplete' END
        AND p.made_at >= s.starts_at AND p.made_at < s.ends_at
        AND (p.slice_at, p.shift_ends_at, p.shift, p.plant_day) IS NOT DISTINCT FROM (
          greatest(date_bin('15 minutes', p.made_at, 'epoch'), s.starts_at), s.ends_at, s.shift,
          s.plant_day) AS proven
    FROM facts AS f
    FULL JOIN (
      SELECT p.* FROM wanted AS w CROSS JOIN LATERAL (
        SELECT * FROM parts AS p
        WHERE p.product = w.product AND p.serial = w.serial AND p.counted OFFSET 0
      ) AS p
    ) AS p
      ON p.product = f.product AND p.serial = f.serial AND p.scope = f.scope COLLATE "default"
        AND p.pass_number = f.pass
    LEFT JOIN shift_spans AS s ON s.starts_at = p.shift_at
      AND s.line = CASE WHEN p.line IN (SELECT line FROM own) THEN p.line ELSE '' END
    WHERE f.made_at >= since AND f.made_at < until OR p.made_at >= since AND p.made_at < until
  )
  SELECT DISTINCT c.product::text, c.serial::text FROM compared AS c WHERE c.proven IS NOT TRUE;
END $$
