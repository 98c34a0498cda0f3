-- What pictures without a serial number count for, each a part of its own, by their verdicts alone.
CREATE FUNCTION linewatch_picture_counts(pictures uuid[])
RETURNS TABLE (picture uuid, made_at timestamptz, counted part_counts)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT i.id, m.made_at, ROW(s.slice_at, s.shift_at, coalesce(i.line, ''), coalesce(product, ''),
    coalesce(lot, ''), coalesce(work_order, ''), coalesce(model_version, ''), v.disposition,
    CASE WHEN rank = 3 THEN coalesce(defect_class, '') ELSE '' END,
    CASE WHEN rank IN (1, 2) THEN '' ELSE 'model' END,
    CASE rank WHEN 1 THEN 'rejected' WHEN 2 THEN 'review' ELSE '' END,
    v.disposition, false, false, coalesce(i.by_receipt, m.made_at <> i.captured_at, true),
    s.shift_ends_at, s.shift, s.plant_day, 1)::part_counts
  FROM inspections AS i
  CROSS JOIN LATERAL (SELECT linewatch_rank(verdict)) AS r(rank)
  CROSS JOIN LATERAL (SELECT CASE rank WHEN 0 THEN 'conforming' WHEN 3 THEN 'nonconforming'
    ELSE 'open' END) AS v(disposition)
  CROSS JOIN LATERAL (SELECT coalesce(i.made_at, linewatch_made_at(captured_at, decided_at)))
    AS m(made_at)
  CROSS JOIN LATERAL linewatch_slice(coalesce(i.line, ''), m.made_at) AS s
  WHERE i.id = ANY (pictures) AND coalesce(part, '') = '';
END $$
