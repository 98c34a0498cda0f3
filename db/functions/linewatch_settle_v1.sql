-- Make parts, and what is counted of them, what the facts say: inspections, labels, decisions. For
-- serial numbers (products and serials, pairwise) and pictures that have none. Where nothing changed
-- it changes nothing, so whoever may write facts may call it. Pictures of challenges are no facts
-- about parts; of parts that the model has decided a share is drawn for people to see.
--
-- Two transactions with views of one part meet at its row: the second waits there, and then reads
-- the facts anew, in a statement of its own. What was counted before is what that row says.
--
-- Plans must not hang on how large the tables were when a worker began: it keeps them for days, and
-- one that was made for empty tables goes through all of them. A subquery with OFFSET 0 is looked up
-- row by row, in an index; so is what ON CONFLICT updates, which for that is written as an INSERT.
CREATE FUNCTION linewatch_settle(products text[], serials text[], pictures uuid[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET plan_cache_mode = force_generic_plan
  SET enable_seqscan = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  changes part_counts[];
  more part_counts[];
  all_products text[];
  all_serials text[];
BEGIN
  IF cardinality(pictures) > 0 THEN
    PERFORM linewatch_adopt(pictures);
  END IF;
  SELECT array_agg(product), array_agg(serial) INTO products, serials
  FROM (
    SELECT DISTINCT product, serial FROM unnest(products, serials) AS w(product, serial)
    WHERE serial <> ''
  ) AS wanted;
  all_products := products;
  all_serials := serials;

  -- Whoever writes a first picture of a part makes its row. What a plain part's says is right: had
  -- anybody written another picture, that row would be there. Of others the row is a lock so far.
  WITH absent AS MATERIALIZED (
    SELECT w.product, w.serial FROM unnest(products, serials) AS w(product, serial)
    LEFT JOIN LATERAL (
      SELECT true AS there FROM parts AS p WHERE p.product = w.product AND p.serial = w.serial
        AND p.scope = '' AND p.pass_number = 1 OFFSET 0
    ) AS p ON true
    WHERE p.there IS NULL
  ), plain AS MATERIALIZED (
    SELECT f.* FROM (
      SELECT array_agg(product) AS products, array_agg(serial) AS serials FROM absent
    ) AS a CROSS JOIN LATERAL linewatch_plain_parts(a.products, a.serials) AS f
  ), written AS (
    INSERT INTO parts AS p (product, serial, scope, pass_number, counted, views, line, lot,
      work_order, model_version, disposition, classes, decided_by, why, model_disposition,
      model_classes, made_at, last_at, by_receipt, slice_at, shift_at, shift_ends_at, shift,
      plant_day)
    SELECT a.product, a.serial, '', 1, f.serial IS NOT NULL, coalesce(views, 0), coalesce(line, ''),
      coalesce(lot, ''), coalesce(work_order, ''), coalesce(model_version, ''),
      coalesce(disposition, 'open'), coalesce(classes, ''), coalesce(decided_by, ''),
      coalesce(why, ''), coalesce(model_disposition, 'open'), coalesce(classes, ''), made_at,
      last_at, coalesce(by_receipt, false), slice_at, shift_at, shift_ends_at, shift, plant_day
    FROM absent AS a LEFT JOIN plain AS f USING (product, serial)
    ORDER BY a.product COLLATE "C", a.serial COLLATE "C"
    ON CONFLICT DO NOTHING
    RETURNING p.product, p.serial, p.counted, linewatch_counted(p, 1) AS change
  ), rest AS (
    SELECT product, serial FROM unnest(products, serials) AS w(product, serial)
    EXCEPT SELECT product, serial FROM written WHERE counted
  )
  SELECT (SELECT array_agg(change) FROM written WHERE counted), array_agg(product),
    array_agg(serial)
  INTO changes, products, serials FROM rest;
  IF products IS NULL AND coalesce(cardinality(pictures), 0) = 0 THEN
    PERFORM linewatch_add_counts(changes);
    PERFORM linewatch_draw_parts(all_products, all_serials, pictures);
    RETURN;
  END IF;

  PERFORM linewatch_hold(products, serials, pictures, false);

  WITH plain AS MATERIALIZED (
    SELECT f.* FROM linewatch_plain_parts(products, serials) AS f
    WHERE NOT EXISTS (
      SELECT FROM parts AS other WHERE other.product = f.product AND other.serial = f.serial
        AND (other.scope <> '' OR other.pass_number <> 1) OFFSET 0
    )
  ), changed AS MATERIALIZED (
    SELECT f.*, p.part FROM plain AS f CROSS JOIN LATERAL (
      SELECT one AS part FROM parts AS one WHERE one.product = f.product
        AND one.serial = f.serial AND one.scope = '' AND one.pass_number = 1 OFFSET 0
    ) AS p
    WHERE (true, f.views, f.line, f.lot, f.work_order, f.model_version, f.disposition, f.classes,
      f.decided_by, f.why, f.model_disposition, f.classes, f.made_at, f.last_at, f.by_receipt,
      f.slice_at, f.shift_at, f.shift_ends_at, f.shift, f.plant_day)
      IS DISTINCT FROM (
        (p.part).counted, (p.part).views, (p.part).line, (p.part).lot, (p.part).work_order,
        (p.part).model_version, (p.part).disposition, (p.part).classes, (p.part).decided_by,
        (p.part).why, (p.part).model_disposition, (p.part).model_classes, (p.part).made_at,
        (p.part).last_at, (p.part).by_receipt, (p.part).slice_at, (p.part).shift_at,
        (p.part).shift_ends_at, (p.part).shift, (p.part).plant_day)
  ), written AS (
    INSERT INTO parts AS p (product, serial, scope, pass_number, counted, views, line, lot,
      work_order, model_version, disposition, classes, decided_by, why, model_disposition,
      model_classes, made_at, last_at, by_receipt, slice_at, shift_at, shift_ends_at, shift,
      plant_day)
    SELECT product, serial, '', 1, true, views, line, lot, work_order, model_version, disposition,
      classes, decided_by, why, model_disposition, classes, made_at, last_at, by_receipt, slice_at,
      shift_at, shift_ends_at, shift, plant_day
    FROM changed
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
    RETURNING linewatch_counted(p, 1) AS change
  ), counting AS (
    SELECT change FROM written
    UNION ALL SELECT linewatch_counted(part, -1) FROM changed WHERE (part).counted
  ), rest AS (
    SELECT product, serial FROM unnest(products, serials) AS w(product, serial)
    EXCEPT SELECT product, serial FROM plain
  )
  SELECT (SELECT array_agg(change) FROM counting), array_agg(product), array_agg(serial)
  INTO more, products, serials FROM rest;
  changes := changes || more;
  IF products IS NOT NULL OR cardinality(pictures) > 0 THEN
    changes := changes || linewatch_settle_facts(products, serials, pictures);
  END IF;
  PERFORM linewatch_add_counts(changes);
  PERFORM linewatch_draw_parts(all_products, all_serials, pictures);
END $$
