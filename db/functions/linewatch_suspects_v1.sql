-- Serial numbers of which sums do not prove the rows of parts, in one piece of the history: pictures
-- with ids from one up to another, and parts made at those times (see linewatch_pieces).
--
-- Pictures are added up by all on which those of a pass agree, and by the hour; a pass that lies in one
-- hour, and of which people said nothing, is proven by that. What is not, such as a pass across the
-- border of two hours or pieces, is a suspect and nothing worse.
CREATE FUNCTION linewatch_suspects(
  first uuid, last uuid, begins timestamptz, ends timestamptz
) RETURNS TABLE (product text, serial text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET jit = off SET work_mem = '128MB' SET enable_sort = off
SET plan_cache_mode = force_custom_plan AS $$
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
  ), expected AS MATERIALIZED (
    SELECT r.product, e.view, 1 << (min(e.place) - 1)::integer AS bit
    FROM rules AS r
    CROSS JOIN LATERAL jsonb_array_elements_text(r.expected) WITH ORDINALITY AS e(view, place)
    GROUP BY r.product, e.view
  ), pictures AS (
    SELECT product, part, line, camera, lot, work_order, model_version, verdict, defect_class,
      pass_number, views, purpose, by_receipt, made_at, captured_at, decided_at
    FROM inspections AS i WHERE i.id >= first AND i.id < last AND i.part <> ''
    UNION ALL
    SELECT product, part, line, camera, lot, work_order, model_version, verdict, defect_class,
      pass_number, views, purpose, by_receipt, made_at, NULL, NULL
    FROM purged_views AS v WHERE v.id >= first AND v.id < last
      AND NOT EXISTS (SELECT FROM inspections AS there WHERE there.id = v.id)
  ), pictured AS (
    SELECT coalesce(i.product, '') COLLATE "C" AS product, i.part COLLATE "C" AS serial,
      date_bin('1 hour', m.made_at, 'epoch') AS hour,
      linewatch_mix(coalesce(i.line, ''), coalesce(i.lot, ''), coalesce(i.work_order, ''),
        coalesce(i.model_version, ''),
        coalesce(i.by_receipt, m.made_at IS DISTINCT FROM i.captured_at)::integer) AS words,
      count(*) AS views, min(m.made_at) AS made_at, max(m.made_at) AS last_at,
      max(linewatch_rank(i.verdict)) AS rank,
      min(CASE i.verdict WHEN 'defect' THEN coalesce(i.defect_class, '') END COLLATE "C") AS class,
      max(CASE i.verdict WHEN 'defect' THEN coalesce(i.defect_class, '') END COLLATE "C")
        AS last_class,
      bit_or(e.bit) AS seen,
      bool_and(i.pass_number IS NULL AND i.views IS NULL
        AND i.purpose IS DISTINCT FROM 'challenge') AS is_plain
    FROM pictures AS i
    CROSS JOIN LATERAL (
      SELECT coalesce(i.made_at, linewatch_made_at(i.captured_at, i.decided_at))
    ) AS m(made_at)
    LEFT JOIN expected AS e ON e.product = i.product AND e.view = coalesce(i.camera, '')
    GROUP BY 1, 2, 3, 4
  ), kept AS (
    SELECT p.product COLLATE "C" AS product, p.serial COLLATE "C" AS serial,
      date_bin('1 hour', p.made_at, 'epoch') AS hour,
      linewatch_mix(p.line, p.lot, p.work_order, p.model_version, p.by_receipt::integer) AS words,
      p.views, p.made_at, p.last_at, r.expected,
      CASE p.disposition WHEN 'nonconforming' THEN 3 WHEN 'conforming' THEN 0
        ELSE CASE p.why WHEN 'review' THEN 2 ELSE 1 END END AS rank,
      CASE p.disposition WHEN 'nonconforming' THEN p.classes END AS class,
      p.scope = CASE r.within WHEN 'lot' THEN p.lot WHEN 'day' THEN p.plant_day::text ELSE '' END
        AND p.last_at - p.made_at <= coalesce(r.gap, interval '1 hour')
        AND p.model_disposition = p.disposition AND p.model_classes = p.classes AND (p.classes = '' OR p.disposition = 'nonconforming')
        AND p.decided_by = CASE p.disposition WHEN 'open' THEN '' ELSE 'model' END
        AND CASE p.disposition WHEN 'open' THEN p.why IN ('review', 'rejected')
          ELSE p.why = '' END
        AND p.made_at >= s.starts_at AND p.made_at < s.ends_at
        AND (r.within IS DISTINCT FROM 'day' OR p.last_at < s.ends_at)
        AND p.slice_at = greatest(date_bin('15 minutes', p.made_at, 'epoch'), s.starts_at)
        AND p.shift_ends_at = s.ends_at AND p.shift = s.shift AND p.plant_day = s.plant_day
        AND CASE WHEN p.pass_number > 1 THEN EXISTS (  -- the pass before is one less and long ago
          SELECT FROM parts AS before
          WHERE before.product = p.product AND before.serial = p.serial AND before.scope = p.scope
            AND before.pass_number = p.pass_number - 1 AND before.counted
            AND p.made_at - before.last_at > coalesce(r.gap, interval '1 hour')
        ) ELSE p.pass_number = 1 END AS is_plain
    FROM parts AS p
    LEFT JOIN rules AS r ON r.product = p.product
    LEFT JOIN shift_spans AS s ON s.starts_at = p.shift_at
      AND s.line = CASE WHEN p.line IN (SELECT line FROM own) THEN p.line ELSE '' END
    WHERE p.made_at >= begins AND p.made_at < ends AND p.counted AND p.serial <> ''
  )
  SELECT coalesce(p.product, k.product)::text, coalesce(p.serial, k.serial)::text
  FROM pictured AS p
  FULL JOIN kept AS k
    ON k.product = p.product AND k.serial = p.serial AND k.hour = p.hour AND k.words = p.words
  WHERE (p.is_plain AND k.is_plain
    AND (p.views, p.rank, p.made_at, p.last_at) = (k.views, k.rank, k.made_at, k.last_at)
    AND (p.class, p.last_class) IS NOT DISTINCT FROM (k.class, k.class)
    AND (p.rank > 0 OR k.expected IS NULL
      OR bit_count(coalesce(p.seen, 0)::bit(32)) = jsonb_array_length(k.expected))
  ) IS NOT TRUE
  UNION ALL
  SELECT coalesce(i.product, '')::text, i.part::text
  FROM inspections AS i
  WHERE i.part <> '' AND i.id IN (
    SELECT inspection_id FROM labels WHERE inspection_id >= first AND inspection_id < last
  );
END $$
