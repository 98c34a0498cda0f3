-- Draw the parts of serial numbers (pairwise with products), and pictures without one that have a row
-- in parts, for the audit sample. Called where these parts are locked. OFFSET: see linewatch_settle.
CREATE FUNCTION linewatch_draw_parts(products text[], serials text[], pictures uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  IF NOT EXISTS (SELECT FROM audit_shares) THEN
    RETURN;
  END IF;
  PERFORM linewatch_draw(json_agg(one)) FROM (
    SELECT p.* FROM (
      SELECT DISTINCT product, serial FROM unnest(products, serials) AS w(product, serial)
      WHERE serial <> ''
    ) AS w CROSS JOIN LATERAL (
      SELECT product, serial, scope, pass_number, model_disposition, model_classes, line, lot,
        made_at, slice_at
      FROM parts AS p
      WHERE p.product = w.product AND p.serial = w.serial AND counted
        AND model_disposition <> 'open' OFFSET 0
    ) AS p
    UNION ALL
    SELECT p.product, p.serial, p.scope, p.pass_number, p.model_disposition, p.model_classes,
      p.line, p.lot, p.made_at, p.slice_at
    FROM inspections AS i CROSS JOIN LATERAL (
      SELECT * FROM parts AS p
      WHERE p.product = coalesce(i.product, '') AND p.serial = '' AND p.scope = i.id::text OFFSET 0
    ) AS p
    WHERE i.id = ANY (pictures) AND p.model_disposition <> 'open'
  ) AS one HAVING count(*) > 0;
END $$
