-- After a change of the calendar that holds for a line ('': for those without one of their own), count
-- the parts made from one instant up to another by the spans as they are now. Both instants begin a
-- quarter hour, so a slice lies on one side, before and after. Harmless to repeat.
--
-- Rows of parts move exactly, since they know when they were made. What is counted and has no row are
-- pictures without a serial number: they move as a slice does; where a shift now begins within one,
-- as their inspections say, or if these are not all there any more, not at all: that is `inexact`.
CREATE FUNCTION linewatch_move_shifts(of_line text, since timestamptz, until timestamptz)
RETURNS TABLE (moved bigint, inexact boolean)
LANGUAGE plpgsql SECURITY DEFINER SET jit = off AS $$
#variable_conflict use_column
DECLARE
  own text[] := ARRAY(SELECT DISTINCT line FROM shift_calendars WHERE line <> '');
  quarter_hour interval := '15 minutes';
  longest_shift interval := '26 hours';  -- where the clock is put back in it
  no_kind text[] := '{slice_at,shift_at,shift_ends_at,shift,plant_day,parts,id,made_at}';
  of_products text[];
  of_serials text[];
  of_scopes text[];
  dated_products text[];
  dated_serials text[];
  horizon interval;
  changes jsonb;
  straddled boolean;
BEGIN
  -- Whoever changes a part holds the row that stands for its serial number.
  WITH spans AS MATERIALIZED (  -- a few, each looked at for each part; an index would be slower
    SELECT * FROM shift_spans WHERE line = of_line AND starts_at < until AND ends_at > since
  ), found AS MATERIALIZED (
    SELECT DISTINCT p.product, p.serial, CASE WHEN p.serial = '' THEN p.scope ELSE '' END AS scope
    FROM spans AS s
    JOIN parts AS p ON p.made_at >= s.starts_at AND p.made_at < s.ends_at
    WHERE p.made_at >= since AND p.made_at < until
      AND CASE WHEN of_line = '' THEN p.line <> ALL (own) ELSE p.line = of_line END
      AND (p.slice_at, p.shift_at, p.shift_ends_at, p.shift, p.plant_day) IS DISTINCT FROM (
        greatest(date_bin(quarter_hour, p.made_at, 'epoch'), s.starts_at), s.starts_at, s.ends_at,
        s.shift, s.plant_day)
  ), locked AS (
    SELECT l.product, l.serial, l.scope FROM parts AS l
    WHERE l.pass_number = 1 AND (l.product, l.serial, l.scope) IN (SELECT * FROM found)
    ORDER BY l.product COLLATE "C", l.serial COLLATE "C", l.scope COLLATE "C" FOR UPDATE
  )
  SELECT array_agg(product), array_agg(serial), array_agg(scope)
    INTO of_products, of_serials, of_scopes FROM locked;

  -- Where a serial number is of its day, another day makes it another part.
  SELECT array_agg(l.product), array_agg(l.serial) INTO dated_products, dated_serials
  FROM unnest(of_products, of_serials) AS l(product, serial)
  JOIN products AS p ON p.code = l.product AND p.options ->> 'serial_unique_within' = 'day'
  WHERE l.serial <> '';
  IF dated_serials IS NOT NULL THEN
    PERFORM linewatch_settle(dated_products, dated_serials, '{}');
  END IF;

  -- Most verdicts come within an hour; who waits for those of a month reads a month.
  FOREACH horizon IN ARRAY ARRAY[interval '1 hour', interval '32 days'] LOOP
    WITH spans AS MATERIALIZED (
      SELECT * FROM shift_spans WHERE line = of_line AND starts_at < until AND ends_at > since
    ), held AS MATERIALIZED (
      SELECT p.product, p.serial, p.scope, p.made_at, slice_at, jsonb_build_object('line', line,
        'product', product, 'lot', lot, 'work_order', work_order, 'model_version', model_version,
        'disposition', disposition, 'classes', classes, 'decided_by', decided_by, 'why', why,
        'model_disposition', model_disposition, 'again', pass_number > 1,
        'serialised', serial <> '', 'by_receipt', by_receipt) AS kind
      FROM parts AS p
      WHERE counted AND made_at >= since AND made_at < until
        AND CASE WHEN of_line = '' THEN line <> ALL (own) ELSE line = of_line END
    ), stored AS MATERIALIZED (
      SELECT slice_at, shift_ends_at, parts, to_jsonb(c) - no_kind AS kind FROM part_counts AS c
      WHERE slice_at >= since AND slice_at < until
        AND CASE WHEN of_line = '' THEN line <> ALL (own) ELSE line = of_line END
    ), by_row AS (
      SELECT h.kind, h.slice_at,
        greatest(date_bin(quarter_hour, h.made_at, 'epoch'), s.starts_at) AS new_at
      FROM held AS h
      JOIN unnest(of_products, of_serials, of_scopes) AS l(product, serial, scope)
        ON l.product = h.product AND l.serial = h.serial AND (h.serial <> '' OR l.scope = h.scope)
      JOIN spans AS s ON h.made_at >= s.starts_at AND h.made_at < s.ends_at
      -- A purge of counts leaves parts whose pictures are kept.
      WHERE EXISTS (SELECT FROM stored AS c WHERE c.slice_at = h.slice_at AND c.kind = h.kind)
    ), rest AS MATERIALIZED (
      SELECT r.kind, r.slice_at, r.parts, r.ends_at IS NOT NULL AS is_stored,
        date_bin(quarter_hour, r.slice_at, 'epoch') AS quarter,
        greatest(date_bin(quarter_hour, r.slice_at, 'epoch'), s.starts_at) AS new_at,
        r.ends_at IS NOT NULL AND EXISTS (
          SELECT FROM spans AS b WHERE b.starts_at > r.slice_at AND b.starts_at < least(
            date_bin(quarter_hour, r.slice_at, 'epoch') + quarter_hour, r.ends_at)) AS straddled
      FROM (
        SELECT slice_at, kind, sum(parts) AS parts, max(ends_at) AS ends_at
        FROM (
          SELECT slice_at, kind, parts, shift_ends_at AS ends_at FROM stored
          UNION ALL SELECT slice_at, kind, -1, NULL FROM held
        ) AS one GROUP BY slice_at, kind HAVING sum(parts) <> 0
      ) AS r
      JOIN spans AS s ON r.slice_at >= s.starts_at AND r.slice_at < s.ends_at
    ), pictures AS (
      SELECT array_agg(i.id) AS ids
      FROM (SELECT DISTINCT kind ->> 'line' AS line, quarter FROM rest WHERE straddled) AS q
      JOIN inspections AS i ON (i.line = q.line OR (q.line = '' AND i.line IS NULL))
        AND i.decided_at >= q.quarter - interval '1 hour'
        AND i.decided_at < q.quarter + horizon AND coalesce(i.part, '') = ''
        AND date_bin(quarter_hour, coalesce(i.made_at,
          linewatch_made_at(i.captured_at, i.decided_at)), 'epoch') = q.quarter
      WHERE NOT EXISTS (SELECT FROM parts AS p WHERE p.product = coalesce(i.product, '')
        AND p.serial = '' AND p.scope = i.id::text AND p.pass_number = 1)
        AND (i.made_at IS NOT NULL OR NOT EXISTS (SELECT FROM part_backfill AS b  -- not counted yet
          WHERE b.finished_at IS NULL AND (b.until IS NULL OR b.until < i.id)))
    ), facts AS MATERIALIZED (
      SELECT to_jsonb(f.counted) - no_kind AS kind, (f.counted).slice_at,
        date_bin(quarter_hour, (f.counted).slice_at, 'epoch') AS quarter
      FROM pictures CROSS JOIN LATERAL linewatch_picture_counts(ids) AS f
    ), known AS (
      SELECT kind, quarter FROM (
        SELECT kind, quarter, parts, straddled FROM rest
        UNION ALL SELECT kind, quarter, -1, false FROM facts
      ) AS one GROUP BY kind, quarter HAVING sum(parts) = 0 AND bool_or(straddled)
    ), by_slice AS (
      SELECT r.*, k.kind IS NOT NULL AS is_known FROM rest AS r LEFT JOIN known AS k USING (kind, quarter)
    ), moves AS (
      SELECT kind, slice_at, -1 AS parts FROM by_row
      UNION ALL SELECT kind, new_at, 1 FROM by_row
      UNION ALL SELECT kind, slice_at, -parts FROM by_slice WHERE is_known OR is_stored
      UNION ALL SELECT kind, new_at, parts FROM by_slice WHERE is_stored AND NOT is_known
      UNION ALL SELECT kind, f.slice_at, 1 FROM facts AS f JOIN known USING (kind, quarter)
    ), sums AS (
      SELECT kind, slice_at, sum(parts) AS parts FROM moves
      GROUP BY kind, slice_at HAVING sum(parts) <> 0
    )
    SELECT (SELECT jsonb_agg(kind || jsonb_build_object('slice_at', slice_at, 'parts', parts,
          'shift_at', s.starts_at, 'shift_ends_at', s.ends_at, 'shift', s.shift,
          'plant_day', s.plant_day))
        FROM sums JOIN spans AS s ON slice_at >= s.starts_at AND slice_at < s.ends_at),
      (SELECT bool_or(r.straddled AND NOT is_known AND parts <> 0) FROM by_slice AS r)
      INTO changes, straddled;
    EXIT WHEN straddled IS NOT TRUE;
  END LOOP;

  WITH spans AS MATERIALIZED (
    SELECT * FROM shift_spans WHERE line = of_line AND starts_at < until AND ends_at > since
  )
  UPDATE parts AS p
  SET slice_at = greatest(date_bin(quarter_hour, p.made_at, 'epoch'), s.starts_at),
    shift_at = s.starts_at, shift_ends_at = s.ends_at, shift = s.shift, plant_day = s.plant_day
  FROM unnest(of_products, of_serials, of_scopes) AS l(product, serial, scope), spans AS s
  WHERE l.product = p.product AND l.serial = p.serial AND (p.serial <> '' OR l.scope = p.scope)
    AND p.made_at >= since AND p.made_at < until
    AND CASE WHEN of_line = '' THEN p.line <> ALL (own) ELSE p.line = of_line END
    AND p.made_at >= s.starts_at AND p.made_at < s.ends_at;

  -- In the order of every writer of these rows.
  PERFORM FROM part_counts
  WHERE slice_at >= since AND slice_at < until
    AND CASE WHEN of_line = '' THEN line <> ALL (own) ELSE line = of_line END
  ORDER BY slice_at, line COLLATE "C", product COLLATE "C", lot COLLATE "C",
    work_order COLLATE "C", model_version COLLATE "C", disposition COLLATE "C",
    classes COLLATE "C", decided_by COLLATE "C", why COLLATE "C", model_disposition COLLATE "C",
    again, serialised, by_receipt FOR UPDATE;
  INSERT INTO part_counts SELECT * FROM jsonb_populate_recordset(NULL::part_counts, changes)
  ORDER BY slice_at, line COLLATE "C", product COLLATE "C", lot COLLATE "C",
    work_order COLLATE "C", model_version COLLATE "C", disposition COLLATE "C",
    classes COLLATE "C", decided_by COLLATE "C", why COLLATE "C", model_disposition COLLATE "C",
    again, serialised, by_receipt
  ON CONFLICT (slice_at, line, product, lot, work_order, model_version, disposition, classes,
    decided_by, why, model_disposition, again, serialised, by_receipt)
  DO UPDATE SET parts = part_counts.parts + excluded.parts;
  -- A slice that begins where it did may be of another shift, or of one that ends elsewhere.
  WITH spans AS MATERIALIZED (
    SELECT * FROM shift_spans WHERE line = of_line AND starts_at < until AND ends_at > since
  )
  UPDATE part_counts AS c SET shift_at = s.starts_at, shift_ends_at = s.ends_at, shift = s.shift,
    plant_day = s.plant_day
  FROM spans AS s
  WHERE slice_at >= since AND slice_at < until
    AND CASE WHEN of_line = '' THEN c.line <> ALL (own) ELSE c.line = of_line END
    AND slice_at >= s.starts_at AND slice_at < s.ends_at
    AND (c.shift_at, c.shift_ends_at, c.shift, c.plant_day)
      IS DISTINCT FROM (s.starts_at, s.ends_at, s.shift, s.plant_day);
  DELETE FROM part_counts WHERE parts = 0 AND slice_at >= since AND slice_at < until;

  -- Shifts are the sums of their slices. In one statement, so that what others count meanwhile is
  -- in both or in neither. Also those of a day before: a shift that began there under the calendar of
  -- before is gone, and who changed a part of it since has taken the part away from there.
  WITH spans AS MATERIALIZED (
    SELECT * FROM shift_spans
    WHERE line = of_line AND starts_at < until AND ends_at > since - longest_shift
  ), reach AS (
    SELECT min(starts_at) AS begins, max(ends_at) AS ends FROM spans
  ), differences AS (
    SELECT shift_at, kind, sum(parts) AS parts FROM (
      SELECT s.starts_at AS shift_at, to_jsonb(c) - no_kind AS kind, c.parts
      FROM reach JOIN part_counts AS c ON slice_at >= begins AND slice_at < ends
      JOIN spans AS s ON slice_at >= s.starts_at AND slice_at < s.ends_at
      WHERE CASE WHEN of_line = '' THEN c.line <> ALL (own) ELSE c.line = of_line END
      UNION ALL
      SELECT shift_at, to_jsonb(c) - no_kind, -parts
      FROM reach JOIN part_shift_counts AS c ON shift_at >= begins AND shift_at < ends
      WHERE CASE WHEN of_line = '' THEN c.line <> ALL (own) ELSE c.line = of_line END
    ) AS one GROUP BY shift_at, kind HAVING sum(parts) <> 0
  ), named AS (
    SELECT r.* FROM differences AS d
    JOIN spans AS s ON d.shift_at >= s.starts_at AND d.shift_at < s.ends_at
    CROSS JOIN LATERAL jsonb_populate_record(NULL::part_shift_counts, kind || jsonb_build_object(
      'shift_at', d.shift_at, 'shift_ends_at', s.ends_at, 'shift', s.shift, 'plant_day',
      s.plant_day, 'parts', d.parts)) AS r
  )
  INSERT INTO part_shift_counts SELECT * FROM named
  ORDER BY shift_at, line COLLATE "C", product COLLATE "C", lot COLLATE "C",
    work_order COLLATE "C", model_version COLLATE "C", disposition COLLATE "C",
    classes COLLATE "C", decided_by COLLATE "C", why COLLATE "C", model_disposition COLLATE "C",
    again, serialised, by_receipt
  ON CONFLICT (shift_at, line, product, lot, work_order, model_version, disposition, classes,
    decided_by, why, model_disposition, again, serialised, by_receipt)
  DO UPDATE SET parts = part_shift_counts.parts + excluded.parts;
  UPDATE part_shift_counts AS c SET shift_ends_at = s.ends_at, shift = s.shift,
    plant_day = s.plant_day
  FROM shift_spans AS s
  WHERE s.line = of_line AND s.starts_at < until AND s.ends_at > since
    AND CASE WHEN of_line = '' THEN c.line <> ALL (own) ELSE c.line = of_line END
    AND c.shift_at = s.starts_at
    AND (c.shift_ends_at, c.shift, c.plant_day) IS DISTINCT FROM (s.ends_at, s.shift, s.plant_day);
  DELETE FROM part_shift_counts AS c USING shift_spans AS s
  WHERE s.line = of_line AND s.starts_at < until AND s.ends_at > since - longest_shift
    AND c.parts = 0 AND c.shift_at >= s.starts_at AND c.shift_at < s.ends_at;

  RETURN QUERY SELECT coalesce(sum((one ->> 'parts')::bigint), 0)::bigint, straddled IS TRUE
    FROM jsonb_array_elements(coalesce(changes, '[]')) AS one
    WHERE (one ->> 'parts')::bigint > 0;
END $$
