-- Draw the parts of serial numbers (pairwise with products), and pictures without one that have a row
-- in parts, for the audit sample. A pass that a late picture took apart, or that turned out to be a
-- challenge's, is no part any more, and in no sample. Called where these parts are locked.
CREATE FUNCTION linewatch_draw_parts(products text[], serials text[], pictures uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  IF NOT EXISTS (SELECT FROM audit_shares) THEN
    RETURN;
  END IF;
  DELETE FROM audit_sample AS s
  USING (SELECT DISTINCT product, serial FROM unnest(products, serials) AS w(product, serial)
    WHERE serial <> '') AS w
  WHERE s.product = w.product AND s.serial = w.serial AND NOT EXISTS (
    SELECT FROM parts AS p
    WHERE p.product = s.product AND p.serial = s.serial AND p.scope = s.scope
      AND p.pass_number = s.pass_number AND p.counted
  );
  PERFORM linewatch_draw(json_agg(one)) FROM (
    SELECT product, serial, scope, pass_number, model_disposition, model_classes, line, lot,
      made_at, slice_at
    FROM parts
    WHERE counted AND model_disposition <> 'open' AND (product, serial) IN (
      SELECT * FROM unnest(products, serials) AS w(product, serial) WHERE w.serial <> ''
    )
    UNION ALL
    SELECT p.product, p.serial, p.scope, p.pass_number, p.model_disposition, p.model_classes,
      p.line, p.lot, p.made_at, p.slice_at
    FROM inspections AS i JOIN parts AS p
      ON p.product = coalesce(i.product, '') AND p.serial = '' AND p.scope = i.id::text
    WHERE i.id = ANY (pictures) AND p.model_disposition <> 'open'
  ) AS one HAVING count(*) > 0;
END $$
