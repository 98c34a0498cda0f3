-- Lock the rows that stand for serial numbers (products and serials, pairwise) and for pictures that
-- have none, in the order of every writer of parts. With `some_missing`, rows of serial numbers that are
-- not there are made first: whoever holds others already could wait for theirs in a circle.
--
-- A purge may delete such a row while somebody waits for it: then nothing is locked, and of two who
-- waited neither would see what the other writes. So it is made again.
CREATE FUNCTION linewatch_hold(
  products text[], serials text[], pictures uuid[], some_missing boolean
) RETURNS void
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  held bigint;
BEGIN
  FOR attempt IN 1 .. 5 LOOP
    IF attempt > 1 OR some_missing THEN
      INSERT INTO parts (product, serial, scope, pass_number, counted, views, line, lot, work_order,
        model_version, disposition, classes, decided_by, why, model_disposition, model_classes,
        by_receipt)
      SELECT product, serial, '', 1, false, 0, '', '', '', '', 'open', '', '', '', 'open', '',
        false
      FROM unnest(products, serials) AS w(product, serial)
      ORDER BY product COLLATE "C", serial COLLATE "C"
      ON CONFLICT DO NOTHING;
    END IF;
    SELECT count(*) FILTER (WHERE w.serial <> '') INTO held
    FROM (
      SELECT * FROM (
        SELECT product, serial, '' FROM unnest(products, serials) AS w(product, serial)
        UNION ALL
        SELECT coalesce(product, ''), '', id::text FROM inspections WHERE id = ANY (pictures)
      ) AS w(product, serial, scope)
      ORDER BY product COLLATE "C", serial COLLATE "C", scope COLLATE "C" OFFSET 0
    ) AS w CROSS JOIN LATERAL (
      SELECT FROM parts AS p WHERE p.product = w.product AND p.serial = w.serial
        AND p.scope = w.scope AND p.pass_number = 1 FOR UPDATE
    ) AS locked;
    IF held = coalesce(cardinality(products), 0) THEN
      RETURN;
    END IF;
  END LOOP;
  RAISE serialization_failure USING MESSAGE = 'parts are purged again and again; try later';
END $$
