-- Settle serial numbers, and pictures that have none, and say how many rows of parts that changed.
-- Where there are fewer pictures than a row says it has, its facts are not all there: such serial
-- numbers are left as they are, and their number and plant days returned.
CREATE FUNCTION linewatch_resettle(products text[], serials text[], pictures uuid[])
RETURNS TABLE (changed bigint, lost bigint, lost_days date[])
LANGUAGE plpgsql SECURITY DEFINER AS $$
#variable_conflict use_column
DECLARE
  before parts[];
BEGIN
  -- First, since settling would take a serial number without its row for a new one.
  PERFORM linewatch_hold(products, serials, pictures, true);
  WITH wanted AS MATERIALIZED (
    SELECT product, serial FROM unnest(products, serials) AS w(product, serial)
  ), held AS (
    SELECT w.product, w.serial, sum(p.views) AS views, array_agg(DISTINCT p.plant_day) AS days
    FROM wanted AS w CROSS JOIN LATERAL (  -- OFFSET: see linewatch_settle
      SELECT * FROM parts AS p
      WHERE p.product = w.product AND p.serial = w.serial AND p.counted OFFSET 0
    ) AS p
    GROUP BY w.product, w.serial
  ), without AS MATERIALIZED (
    SELECT h.* FROM held AS h WHERE h.views > (
      SELECT count(*) FROM inspections AS i
      WHERE i.part = h.serial AND coalesce(i.product, '') = h.product
    ) + (
      SELECT count(*) FROM purged_views AS v WHERE v.product = h.product AND v.part = h.serial
        AND NOT EXISTS (SELECT FROM inspections AS i WHERE i.id = v.id OFFSET 0)
    )
  ), kept AS (
    SELECT product, serial FROM wanted EXCEPT SELECT product, serial FROM without
  )
  SELECT (SELECT array_agg(product ORDER BY product, serial) FROM kept),
    (SELECT array_agg(serial ORDER BY product, serial) FROM kept),
    (SELECT count(*) FROM without),
    (SELECT array_agg(DISTINCT day ORDER BY day) FROM without, unnest(days) AS day)
  INTO products, serials, lost, lost_days;
  before := ARRAY(SELECT p FROM linewatch_rows_of(products, serials, pictures) AS p);
  PERFORM linewatch_settle(products, serials, pictures);
  SELECT count(*) INTO changed
  FROM unnest(before) AS b
  FULL JOIN linewatch_rows_of(products, serials, pictures) AS a USING (product, serial, scope, pass_number)
  WHERE to_jsonb(a) IS DISTINCT FROM to_jsonb(b);
  RETURN NEXT;
END $$
