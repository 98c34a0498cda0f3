-- Serial numbers with a part made within a time of which one look at all facts does not say that
-- their rows are right. Most parts are plain: pictures that agree on everything but what they show,
-- of no pass that a message numbers, with no decision on them. What is listed here is not wrong
-- yet: linewatch_resettle finds out.
--
-- Two looks, since sorting millions of pictures into passes takes minutes: the first is
-- linewatch_suspects, and the second sorts the pictures of what that could not prove.
CREATE FUNCTION linewatch_unproven(since timestamptz, until timestamptz)
RETURNS TABLE (product text, serial text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET jit = off SET work_mem = '128MB' AS $$
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
  ), pieces AS (  -- of about half a million pictures; the first and last have no other end
    SELECT CASE WHEN place = 1 THEN '00000000-0000-0000-0000-000000000000'
        ELSE linewatch_first_id(day) END AS first,
      CASE WHEN next IS NULL THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff'
        ELSE linewatch_first_id(next) END AS last,
      CASE WHEN place = 1 THEN '-infinity' ELSE day::timestamp AT TIME ZONE 'UTC' END AS begins,
      CASE WHEN next IS NULL THEN 'infinity' ELSE next::timestamp AT TIME ZONE 'UTC' END AS ends
    FROM (
      SELECT day::date, lead(day::date) OVER (ORDER BY day) AS next,
        row_number() OVER (ORDER BY day) AS place
      FROM (
        SELECT min(made_at) AT TIME ZONE 'UTC' AS since, max(made_at) AT TIME ZONE 'UTC' AS until,
          1 + count(*) / 200000 AS pieces
        FROM parts
      ) AS all_parts
      CROSS JOIN LATERAL generate_series(date_trunc('day', since), until, greatest(
        interval '1 day', date_trunc('day', (until - since) / pieces))) AS day
    ) AS days
  ), suspects AS MATERIALIZED (
    SELECT DISTINCT s.product, s.serial
    FROM pieces AS p CROSS JOIN LATERAL linewatch_suspects(p.first, p.last, p.begins, p.ends) AS s
    UNION
    SELECT v.product, v.part FROM purged_views AS v
    WHERE NOT EXISTS (SELECT FROM inspections AS there WHERE there.id = v.id)
  ), pictured AS (
    SELECT i.id, coalesce(i.product, '') AS product, i.part AS serial, i.line, i.camera, i.lot,
      i.work_order, i.model_version, i.verdict, i.defect_class, i.pass_number, i.views, i.purpose,
      coalesce(i.made_at, linewatch_made_at(i.captured_at, i.decided_at)) AS made_at,
      coalesce(i.by_receipt, linewatch_made_at(i.captured_at, i.decided_at)
        IS DISTINCT FROM i.captured_at) AS by_receipt
    FROM inspections AS i
    WHERE (coalesce(i.product, ''), i.part) IN (SELECT * FROM suspects)
    UNION ALL
    SELECT v.id, v.product, v.part, v.line, v.camera, v.lot, v.work_order, v.model_version,
      v.verdict, v.defect_class, v.pass_number, v.views, v.purpose, v.made_at, v.by_receipt
    FROM purged_views AS v
    WHERE NOT EXISTS (SELECT FROM inspections AS there WHERE there.id = v.id)
  ), said AS (
    SELECT DISTINCT ON (l.inspection_id) l.inspection_id, l.label, coalesce(c.good, false) AS good
    FROM labels AS l
    LEFT JOIN defect_classes AS c ON c.product = l.product AND c.code = l.label
    ORDER BY l.inspection_id, l.labelled_at DESC, l.id DESC
  ), seen AS (
    SELECT i.*, r.expected AS of_product, coalesce(r.within, 'product') AS within,
      linewatch_rank(i.verdict) AS model_rank,
      CASE i.verdict WHEN 'defect' THEN coalesce(i.defect_class, '') END AS model_class,
      s.inspection_id IS NOT NULL AS labelled,
      CASE WHEN s.label IS NULL THEN linewatch_rank(i.verdict) WHEN s.good THEN 0 ELSE 3 END AS rank,
      CASE WHEN s.label IS NULL AND i.verdict = 'defect' THEN coalesce(i.defect_class, '')
        WHEN NOT s.good THEN s.label END AS class,
      coalesce(i.made_at - lag(i.made_at) OVER w > coalesce(r.gap, interval '1 hour'), false) AS begins
    FROM pictured AS i
    LEFT JOIN rules AS r ON r.product = i.product
    LEFT JOIN said AS s ON s.inspection_id = i.id
    WINDOW w AS (PARTITION BY i.product, i.serial ORDER BY i.made_at, i.id)
  ), passed AS (
    SELECT *, 1 + count(*) FILTER (WHERE begins) OVER w AS pass
    FROM seen WINDOW w AS (PARTITION BY product, serial ORDER BY made_at, id)
  ), found AS MATERIALIZED (
    SELECT product, serial, pass, count(*)::integer AS views, min(within) AS within,
      min(coalesce(line, '')) AS line, min(coalesce(lot, '')) AS lot,
      min(coalesce(work_order, '')) AS work_order,
      coalesce(min(nullif(model_version, '')), '') AS model_version, min(made_at) AS made_at,
      max(made_at) AS last_at, bool_or(by_receipt) AS by_receipt, max(model_rank) AS model_rank,
      max(rank) AS rank, coalesce(min(model_class), '') AS model_class,
      coalesce(min(class), '') AS class, bool_or(labelled) AS labelled,
      bool_or(labelled AND rank = 3) AS defect_labelled,
      jsonb_agg(coalesce(camera, '')) FILTER (WHERE coalesce(views, of_product) IS NOT NULL)
        @> min(coalesce(views, of_product)::text)::jsonb AS is_complete,
      count(coalesce(views, of_product)) IN (0, count(*))
        AND min(coalesce(views, of_product)::text)
          IS NOT DISTINCT FROM max(coalesce(views, of_product)::text)
        AND bool_and(pass_number IS NULL AND purpose IS DISTINCT FROM 'challenge')
        AND min(coalesce(line, '')) = max(coalesce(line, ''))
        AND min(coalesce(lot, '')) = max(coalesce(lot, ''))
        AND min(coalesce(work_order, '')) = max(coalesce(work_order, ''))
        AND bool_and(by_receipt) = bool_or(by_receipt)
        AND min(nullif(model_version, '')) IS NOT DISTINCT FROM max(nullif(model_version, ''))
        AND min(model_class) IS NOT DISTINCT FROM max(model_class)
        AND min(class) IS NOT DISTINCT FROM max(class)
        AND min(within) <> 'day' AS plain
    FROM passed GROUP BY product, serial, pass
  ), facts AS (
    SELECT f.*, CASE WHEN f.within = 'lot' THEN f.lot ELSE '' END AS scope,
      f.plain AND NOT EXISTS (
        SELECT FROM decisions AS d WHERE d.product = f.product AND d.part = f.serial
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
      f.is_plain AND p.scope = f.scope
        AND (f.views, f.line, f.lot, f.work_order, f.model_version, f.disposition,
          CASE f.rank WHEN 3 THEN f.class ELSE '' END, f.model_disposition,
          CASE f.model_rank WHEN 3 THEN f.model_class ELSE '' END, f.made_at, f.last_at,
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
      SELECT * FROM parts AS one
      WHERE one.counted AND (one.product, one.serial) IN (SELECT * FROM suspects)
    ) AS p
      ON p.product = f.product AND p.serial = f.serial AND p.pass_number = f.pass
    LEFT JOIN shift_spans AS s ON s.starts_at = p.shift_at
      AND s.line = CASE WHEN p.line IN (SELECT line FROM own) THEN p.line ELSE '' END
    WHERE f.made_at >= since AND f.made_at < until OR p.made_at >= since AND p.made_at < until
  )
  SELECT DISTINCT c.product::text, c.serial::text FROM compared AS c WHERE c.proven IS NOT TRUE;
END $$
