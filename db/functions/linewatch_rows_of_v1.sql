-- The counted rows of parts of some serial numbers (pairwise with products), and of pictures without
-- one that are still there. OFFSET: see linewatch_settle.
CREATE FUNCTION linewatch_rows_of(products text[], serials text[], pictures uuid[])
RETURNS SETOF parts
LANGUAGE sql STABLE AS $$
  SELECT p.* FROM unnest(products, serials) AS w(product, serial)
  CROSS JOIN LATERAL (
    SELECT * FROM parts AS one WHERE one.product = w.product AND one.serial = w.serial OFFSET 0
  ) AS p
  WHERE p.counted
  UNION ALL
  SELECT p.* FROM inspections AS i
  CROSS JOIN LATERAL (
    SELECT * FROM parts AS one WHERE one.product = coalesce(i.product, '') AND one.serial = ''
      AND one.scope = i.id::text AND one.pass_number = 1 OFFSET 0
  ) AS p
  WHERE i.id = ANY (pictures) AND p.counted
$$
