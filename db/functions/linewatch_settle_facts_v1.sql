-- Make parts what all the facts say, where they need thought: see linewatch_settle, which holds the
-- locks; returns what is counted otherwise. quality/parts.py says in Python what is done here.
-- OFFSET: see there. A row of parts that goes is found by its place, which its lock holds.
CREATE FUNCTION linewatch_settle_facts(products text[], serials text[], pictures uuid[])
RETURNS part_counts[]
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  changes part_counts[];
BEGIN
  WITH wanted AS MATERIALIZED (
    SELECT DISTINCT product, serial FROM unnest(products, serials) AS w(product, serial)
    WHERE serial <> ''
  ), rules AS MATERIALIZED (
    SELECT w.product, p.options -> 'views' AS views,
      make_interval(secs => coalesce((p.options ->> 'pass_gap_s')::float8, 3600)) AS gap,
      coalesce(p.options ->> 'serial_unique_within', 'product') AS within
    FROM (SELECT DISTINCT product FROM wanted) AS w LEFT JOIN products AS p ON p.code = w.product
  ), pictured AS (
    SELECT i.id, w.product, w.serial, i.line, i.camera, i.lot, i.work_order, i.model_version,
      i.verdict, i.defect_class, i.pass_number, i.views, m.made_at,
      coalesce(i.by_receipt, m.made_at IS DISTINCT FROM i.captured_at) AS by_receipt
    FROM wanted AS w
    CROSS JOIN LATERAL (
      SELECT * FROM inspections AS i
      WHERE i.part = w.serial AND coalesce(i.product, '') = w.product OFFSET 0
    ) AS i
    CROSS JOIN LATERAL (
      SELECT coalesce(i.made_at, linewatch_made_at(i.captured_at, i.decided_at))
    ) AS m(made_at)
    WHERE CASE WHEN i.purpose = 'challenge'
      THEN NOT linewatch_challenged(i.line, w.product, w.serial, m.made_at) ELSE true END
    UNION ALL
    SELECT i.id, w.product, w.serial, i.line, i.camera, i.lot, i.work_order, i.model_version,
      i.verdict, i.defect_class, i.pass_number, i.views, i.made_at, i.by_receipt
    FROM wanted AS w
    CROSS JOIN LATERAL (
      SELECT * FROM purged_views AS v WHERE v.product = w.product AND v.part = w.serial OFFSET 0
    ) AS i
    WHERE NOT EXISTS (SELECT FROM inspections AS there WHERE there.id = i.id OFFSET 0)
      AND CASE WHEN i.purpose = 'challenge'
        THEN NOT linewatch_challenged(i.line, w.product, w.serial, i.made_at) ELSE true END
    UNION ALL
    SELECT i.id, coalesce(i.product, ''), '', i.line, i.camera, i.lot, i.work_order,
      i.model_version, i.verdict, i.defect_class, 1, NULL, m.made_at,
      coalesce(i.by_receipt, m.made_at IS DISTINCT FROM i.captured_at)
    FROM inspections AS i
    CROSS JOIN LATERAL (
      SELECT coalesce(i.made_at, linewatch_made_at(i.captured_at, i.decided_at))
    ) AS m(made_at)
    WHERE i.id = ANY (pictures) AND coalesce(i.part, '') = ''
  ), facts AS MATERIALIZED (
    SELECT i.id, i.product, i.serial, made_at, by_receipt, pass_number,
      coalesce(line, '') AS line, coalesce(camera, '') AS camera, coalesce(lot, '') AS lot,
      coalesce(work_order, '') AS work_order, coalesce(model_version, '') AS model_version,
      CASE WHEN serial = '' THEN NULL ELSE coalesce(i.views, r.views) END AS expected,
      CASE WHEN serial = '' THEN i.id::text WHEN within = 'lot' THEN coalesce(lot, '')
        WHEN within = 'day'
          THEN (SELECT s.plant_day::text FROM linewatch_slice(coalesce(line, ''), made_at) AS s)
        ELSE '' END COLLATE "C" AS scope,
      gap, linewatch_rank(verdict) AS model_rank,
      CASE verdict WHEN 'defect' THEN coalesce(defect_class, '') END COLLATE "C" AS model_class,
      l.label IS NOT NULL AS labelled,
      CASE WHEN l.label IS NULL THEN linewatch_rank(verdict) WHEN l.good THEN 0 ELSE 3 END AS rank,
      CASE WHEN l.label IS NULL AND verdict = 'defect' THEN coalesce(defect_class, '')
        WHEN NOT l.good THEN l.label END COLLATE "C" AS class
    FROM pictured AS i
    LEFT JOIN rules AS r ON r.product = i.product
    LEFT JOIN LATERAL (
      SELECT nullif(label, '') AS label, EXISTS (
        SELECT FROM defect_classes AS c
        WHERE c.product = i.product AND c.code = labels.label AND c.good OFFSET 0
      ) AS good
      FROM labels WHERE inspection_id = i.id ORDER BY labelled_at DESC, labels.id DESC LIMIT 1
    ) AS l ON true
  ), begun AS (
    SELECT *, coalesce(made_at - lag(made_at) OVER w > gap, false) AS begins,
      max(pass_number) OVER (PARTITION BY product, serial, scope) AS last_numbered
    FROM facts WINDOW w AS (PARTITION BY product, serial, scope ORDER BY made_at, id)
  ), islands AS (
    SELECT *, count(*) FILTER (WHERE begins) OVER w AS island
    FROM begun WINDOW w AS (PARTITION BY product, serial, scope ORDER BY made_at, id)
  ), numbered AS (
    SELECT *, count(pass_number) OVER (in_island ORDER BY made_at, id) AS numbers_before,
      max(pass_number) OVER in_island IS NOT NULL AS is_numbered,
      first_value(pass_number) OVER (in_island ORDER BY pass_number IS NULL, made_at, id) AS first_number
    FROM islands WINDOW in_island AS (PARTITION BY product, serial, scope, island)
  ), placed AS MATERIALIZED (
    SELECT *, CASE
      WHEN pass_number IS NOT NULL THEN pass_number
      WHEN numbers_before > 0 THEN max(pass_number) OVER (
        PARTITION BY product, serial, scope, island, numbers_before)
      WHEN is_numbered THEN first_number
      ELSE coalesce(last_numbered, 0) + dense_rank() OVER (
        PARTITION BY product, serial, scope, is_numbered ORDER BY island)
      END AS pass
    FROM numbered
  ), incomplete AS (
    SELECT DISTINCT product, serial, scope, pass
    FROM placed AS p CROSS JOIN LATERAL jsonb_array_elements_text(p.expected) AS e(view)
    WHERE p.expected IS NOT NULL AND NOT EXISTS (
      SELECT FROM placed AS other
      WHERE other.product = p.product AND other.serial = p.serial AND other.scope = p.scope
        AND other.pass = p.pass AND other.camera = e.view
    )
  ), ranked AS (
    SELECT product, serial, scope, pass, min(made_at) AS made_at, max(made_at) AS last_at,
      count(*)::integer AS views, (array_agg(by_receipt ORDER BY made_at, id))[1] AS by_receipt,
      (array_agg(line ORDER BY made_at, id))[1] AS line,
      (array_agg(lot ORDER BY made_at, id))[1] AS lot,
      (array_agg(work_order ORDER BY made_at, id))[1] AS work_order,
      coalesce((array_agg(model_version ORDER BY made_at, id)
        FILTER (WHERE model_version <> ''))[1], '') AS model_version,
      max(model_rank) AS model_rank, max(rank) AS rank,
      coalesce(string_agg(DISTINCT model_class, '+' ORDER BY model_class), '') AS model_classes,
      coalesce(string_agg(DISTINCT class, '+' ORDER BY class), '') AS classes,
      bool_or(labelled) AS labelled, bool_or(labelled AND rank = 3) AS defect_labelled
    FROM placed GROUP BY product, serial, scope, pass
  ), states AS MATERIALIZED (
    SELECT r.*, i.product IS NOT NULL AS incomplete
    FROM ranked AS r LEFT JOIN incomplete AS i USING (product, serial, scope, pass)
  ), decided AS (
    SELECT DISTINCT ON (w.product, w.serial, s.scope, s.pass)
      w.product, w.serial, s.scope, s.pass, d.disposition,
      CASE WHEN d.disposition <> 'open' THEN coalesce(d.defect_class, '') END AS class
    FROM wanted AS w
    CROSS JOIN LATERAL (
      SELECT * FROM decisions AS d WHERE d.product = w.product AND d.part = w.serial OFFSET 0
    ) AS d
    CROSS JOIN LATERAL (
      SELECT scope, pass FROM (
        SELECT *, s.made_at > d.decided_at AS later FROM states AS s
        WHERE s.product = w.product AND s.serial = w.serial
          AND (d.pass_number IS NULL OR d.pass_number = s.pass)
      ) AS s
      ORDER BY later, CASE WHEN NOT later THEN made_at END DESC,
        CASE WHEN NOT later THEN scope END DESC, CASE WHEN NOT later THEN pass END DESC,
        made_at, scope, pass
      LIMIT 1
    ) AS s
    ORDER BY w.product, w.serial, s.scope, s.pass, d.decided_at DESC, d.id DESC
  ), new AS MATERIALIZED (
    SELECT product, serial, scope, pass AS pass_number, views, line, lot, work_order, model_version,
      made_at, last_at, by_receipt, slice.*,
      CASE WHEN d.class IS NOT NULL THEN d.disposition ELSE o.disposition END AS disposition,
      CASE WHEN d.class IS NOT NULL THEN d.class WHEN rank = 3 THEN s.classes ELSE '' END AS classes,
      CASE WHEN d.class IS NOT NULL THEN 'person' WHEN o.disposition = 'open' THEN ''
        WHEN defect_labelled OR (rank = 0 AND labelled) THEN 'person' ELSE 'model' END AS decided_by,
      CASE WHEN d.class IS NOT NULL OR o.disposition <> 'open' THEN ''
        WHEN rank = 2 THEN 'review' WHEN rank = 1 THEN 'rejected' ELSE 'incomplete' END AS why,
      o.model_disposition,
      CASE WHEN model_rank = 3 THEN model_classes ELSE '' END AS model_classes
    FROM states AS s
    LEFT JOIN decided AS d USING (product, serial, scope, pass)
    CROSS JOIN LATERAL (SELECT
      CASE WHEN rank = 3 THEN 'nonconforming' WHEN rank > 0 OR incomplete THEN 'open'
        ELSE 'conforming' END AS disposition,
      CASE WHEN model_rank = 3 THEN 'nonconforming' WHEN model_rank > 0 OR incomplete THEN 'open'
        ELSE 'conforming' END AS model_disposition) AS o
    CROSS JOIN LATERAL linewatch_slice(line, made_at) AS slice
  ), old AS MATERIALIZED (
    SELECT p.* FROM wanted AS w CROSS JOIN LATERAL (
      SELECT p AS part, p.ctid AS place FROM parts AS p
      WHERE p.product = w.product AND p.serial = w.serial OFFSET 0
    ) AS p
    UNION ALL
    SELECT p.* FROM facts AS f CROSS JOIN LATERAL (
      SELECT p, p.ctid FROM parts AS p
      WHERE p.product = f.product AND p.serial = ''
        AND p.scope = f.scope COLLATE "default"  -- the index's; that of `facts` is "C"
        AND p.pass_number = 1 OFFSET 0
    ) AS p
    WHERE f.serial = ''
  ), written AS (
    INSERT INTO parts AS p (product, serial, scope, pass_number, counted, views, line, lot,
      work_order, model_version, disposition, classes, decided_by, why, model_disposition,
      model_classes, made_at, last_at, by_receipt, slice_at, shift_at, shift_ends_at, shift,
      plant_day)
    SELECT product, serial, scope, pass_number, true, views, line, lot, work_order, model_version,
      disposition, classes, decided_by, why, model_disposition, model_classes, made_at, last_at,
      by_receipt, slice_at, shift_at, shift_ends_at, shift, plant_day
    FROM new
    ON CONFLICT (product, serial, scope, pass_number) DO UPDATE SET counted = true,
      views = excluded.views, line = excluded.line, lot = excluded.lot,
      work_order = excluded.work_order, model_version = excluded.model_version,
      disposition = excluded.disposition, classes = excluded.classes,
      decided_by = excluded.decided_by, why = excluded.why,
      model_disposition = excluded.model_disposition, model_classes = excluded.model_classes,
      made_at = excluded.made_at, last_at = excluded.last_at, by_receipt = excluded.by_receipt,
      slice_at = excluded.slice_at, shift_at = excluded.shift_at,
      shift_ends_at = excluded.shift_ends_at, shift = excluded.shift,
      plant_day = excluded.plant_day
    WHERE (p.*) IS DISTINCT FROM (excluded.*)
  ), gone AS (
    SELECT place, part, (part).scope = '' AND (part).pass_number = 1 AS is_lock FROM old
    WHERE (part).counted AND NOT EXISTS (
      SELECT FROM new AS n WHERE n.product = (part).product AND n.serial = (part).serial
        AND n.scope = (part).scope AND n.pass_number = (part).pass_number
    )
  ), emptied AS (
    UPDATE parts SET counted = false, views = 0
    WHERE ctid = ANY (ARRAY(SELECT place FROM gone WHERE is_lock))
  ), removed AS (
    DELETE FROM parts WHERE ctid = ANY (ARRAY(SELECT place FROM gone WHERE NOT is_lock))
  ), undrawn AS (  -- a pass that a late picture took apart is no part any more, and in no sample
    DELETE FROM audit_sample WHERE id = ANY (ARRAY(
      SELECT drawn.id FROM gone AS g CROSS JOIN LATERAL (
        SELECT d.id FROM audit_sample AS d
        WHERE d.product = (g.part).product AND d.serial = (g.part).serial
          AND d.scope = (g.part).scope AND d.pass_number = (g.part).pass_number OFFSET 0
      ) AS drawn
    ))
  )
  SELECT array_agg(change) INTO changes FROM (
    SELECT linewatch_counted(part, -1) AS change FROM old WHERE (part).counted
    UNION ALL
    SELECT ROW(slice_at, shift_at, line, product, lot, work_order, model_version, disposition,
      classes, decided_by, why, model_disposition, pass_number > 1, serial <> '', by_receipt,
      shift_ends_at, shift, plant_day, 1)::part_counts
    FROM new
  ) AS changed;
  PERFORM linewatch_keep_labelled(ARRAY(
    SELECT i.id FROM unnest(products, serials) AS w(product, serial)
    CROSS JOIN LATERAL (
      SELECT id FROM inspections AS i
      WHERE i.part = w.serial AND coalesce(i.product, '') = w.product OFFSET 0
    ) AS i
    CROSS JOIN LATERAL (SELECT FROM labels AS l WHERE l.inspection_id = i.id LIMIT 1) AS l
    WHERE w.serial <> ''
    UNION
    SELECT unnest(pictures)
  ));
  RETURN changes;
END $$
