-- Make the rows of labelled pictures what the facts say: each picture's latest label, and what reports
-- ask of its inspection. A label '' takes back those before it. Says how many it changed. Whoever calls this holds the locks of the pictures'
-- parts, so of a label and a verdict that come at once the second finds the first.
CREATE FUNCTION linewatch_keep_labelled(pictures uuid[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER AS $$
#variable_conflict use_column
DECLARE
  written bigint;
  gone bigint;
BEGIN
  INSERT INTO labelled_pictures AS p (inspection_id, product, label, recorded_at, line, lot,
    model_version, verdict, defect_class, made_at)
  SELECT i.id, l.product, l.label, l.recorded_at, coalesce(i.line, ''), coalesce(i.lot, ''),
    coalesce(i.model_version, ''), i.verdict, coalesce(i.defect_class, ''),
    coalesce(i.made_at, i.captured_at, i.decided_at)
  FROM inspections AS i
  CROSS JOIN LATERAL (
    SELECT product, label, recorded_at FROM labels
    WHERE inspection_id = i.id ORDER BY labelled_at DESC, labels.id DESC LIMIT 1
  ) AS l
  WHERE i.id = ANY (pictures) AND l.label <> ''
  ORDER BY i.id
  ON CONFLICT (inspection_id) DO UPDATE SET product = excluded.product, label = excluded.label,
    recorded_at = excluded.recorded_at, line = excluded.line, lot = excluded.lot,
    model_version = excluded.model_version, verdict = excluded.verdict,
    defect_class = excluded.defect_class, made_at = excluded.made_at
  WHERE (p.*) IS DISTINCT FROM (excluded.*);
  GET DIAGNOSTICS written = ROW_COUNT;
  DELETE FROM labelled_pictures AS p WHERE p.inspection_id = ANY (pictures)
    AND coalesce((
      SELECT label FROM labels AS l WHERE l.inspection_id = p.inspection_id
      ORDER BY labelled_at DESC, l.id DESC LIMIT 1
    ), '') = '';
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN written + gone;
END $$
