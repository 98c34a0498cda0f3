-- Count the next inspections of before there were parts, in order of their ids; returns how many, 0
-- at the end. They are the rows without made_at; new ones have it. See db/parts/backfill.py.
CREATE FUNCTION linewatch_backfill(batch integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER AS $$
#variable_conflict use_column
DECLARE
  mark uuid;
  ids uuid[];
  products text[];
  serials text[];
BEGIN
  SELECT coalesce(until, '00000000-0000-0000-0000-000000000000') INTO mark
    FROM part_backfill WHERE name = 'parts' AND finished_at IS NULL FOR UPDATE;
  IF NOT FOUND THEN
    RETURN 0;
  END IF;
  SELECT array_agg(id ORDER BY id), array_agg(product) FILTER (WHERE part <> ''),
    array_agg(part) FILTER (WHERE part <> '')
  INTO ids, products, serials
  FROM (
    SELECT id, coalesce(product, '') AS product, part FROM inspections
    WHERE made_at IS NULL AND id > mark ORDER BY id LIMIT batch
  ) AS next;
  IF ids IS NULL THEN
    UPDATE part_backfill SET finished_at = now() WHERE name = 'parts';
    RETURN 0;
  END IF;
  PERFORM linewatch_settle(products, serials, '{}');
  -- One that has a row was labelled, or sent again, meanwhile: then it is counted.
  PERFORM linewatch_add_counts(ARRAY(SELECT counted FROM linewatch_picture_counts(ARRAY(
    SELECT i.id FROM inspections AS i
    WHERE i.id = ANY (ids) AND NOT EXISTS (
      SELECT FROM parts AS p
      WHERE p.product = coalesce(i.product, '') AND p.serial = '' AND p.scope = i.id::text
      OFFSET 0  -- see linewatch_settle
    )
  ))));
  UPDATE part_backfill SET until = ids[cardinality(ids)] WHERE name = 'parts';
  RETURN cardinality(ids);
END $$
