-- Write new verdicts in the place of dead letters that were sent again (see db/inspections/requeues.py); returns
-- their ids. Rows and extras are as of linewatch_commit, with `old_hour` in the latter, the plant's
-- hour in which the dead letter was counted. Nothing but such a dead letter can be replaced, and once.
CREATE FUNCTION linewatch_replace(
  given json, extras json, vectors bytea, named text[]
) RETURNS SETOF uuid
LANGUAGE plpgsql SECURITY DEFINER SET plan_cache_mode = force_generic_plan
  SET enable_seqscan = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  wanted uuid[] := ARRAY(SELECT (value ->> 'id')::uuid FROM json_array_elements(given));
  ids uuid[];
  before json;
  names text;
  values_ text;
  products text[];
  serials text[];
  singles uuid[];
BEGIN
  PERFORM linewatch_refuse_unknown(named);
  IF cardinality(wanted) <> (SELECT count(DISTINCT id) FROM unnest(wanted) AS id) THEN
    RAISE EXCEPTION 'a picture is given twice';
  END IF;
  -- Two workers with the same picture queue here: the second finds the leave used up.
  PERFORM FROM requeues WHERE image_id = ANY (wanted) ORDER BY image_id FOR UPDATE;
  WITH used AS (DELETE FROM requeues WHERE image_id = ANY (wanted) RETURNING image_id)
  SELECT array_agg(image_id) INTO ids FROM used;
  PERFORM FROM inspections WHERE id = ANY (ids) AND verdict = 'dead_letter' ORDER BY id FOR UPDATE;
  SELECT array_agg(old.id), json_agg(json_build_object(
      'hour', CASE WHEN old_hour <= old.decided_at AND old_hour > old.decided_at - interval '2 hours'
        THEN old_hour ELSE date_trunc('hour', old.decided_at, 'UTC') END,
      'product', product, 'line', line, 'camera', camera, 'lot', lot, 'verdict', verdict,
      'defect_class', defect_class, 'model_version', model_version, 'count', -1
    )) INTO ids, before
  FROM inspections AS old
  LEFT JOIN linewatch_hours(extras) AS r ON r.id = old.id
  WHERE old.id = ANY (ids) AND verdict = 'dead_letter';
  IF ids IS NULL THEN
    RETURN;
  END IF;

  -- What is counted of them, before their verdicts are others.
  SELECT array_agg(id) INTO singles
    FROM inspections WHERE id = ANY (ids) AND coalesce(part, '') = '';
  PERFORM linewatch_adopt(singles);
  SELECT string_agg(quote_ident(attname), ', '), string_agg('r.' || quote_ident(attname), ', ')
    INTO names, values_
    FROM pg_attribute
    WHERE attrelid = to_regclass('inspections') AND attnum > 0 AND NOT attisdropped
      AND attname NOT IN ('id', 'made_at', 'by_receipt');
  EXECUTE 'UPDATE inspections SET (' || names || ') = ROW(' || values_ || ')'
    ' FROM json_populate_recordset(NULL::inspections, $1) AS r'
    ' WHERE inspections.id = r.id AND inspections.id = ANY ($2)' USING given, ids;

  WITH extra AS MATERIALIZED (
    SELECT DISTINCT ON (id) r.*, new.decided_at
    FROM json_to_recordset(extras) AS r(
      id uuid, fingerprint text, begin integer, size integer,
      shadow_version text, shadow_verdict text, shadow_reason text, shadow_probabilities jsonb
    ) JOIN inspections AS new USING (id) WHERE id = ANY (ids)
  ), shadowed AS (
    INSERT INTO inspection_scores (inspection_id, model_version, probabilities, verdict, reason)
    SELECT id, shadow_version, shadow_probabilities, shadow_verdict, shadow_reason
    FROM extra WHERE shadow_version IS NOT NULL
  )
  INSERT INTO features (inspection_id, fingerprint, vector, created_at)
  SELECT id, fingerprint, substring(vectors FROM begin FOR size), decided_at
  FROM extra WHERE size IS NOT NULL
  -- A person may have labelled the dead letter, and an idle worker made its features for that.
  ON CONFLICT (inspection_id, fingerprint)
  DO UPDATE SET vector = excluded.vector, created_at = excluded.created_at;

  SELECT array_agg(coalesce(product, '')), array_agg(part) INTO products, serials
    FROM inspections WHERE id = ANY (ids) AND part <> '';
  PERFORM linewatch_settle(products, serials, singles);

  -- Last, and in Python's order of strings: workers wait for each other on these few rows.
  INSERT INTO inspection_hourly
    (hour, product, line, camera, lot, verdict, defect_class, model_version, count)
  SELECT hour, product, line, camera, lot, verdict, defect_class, model_version, sum(count)
  FROM (
    SELECT hour, coalesce(product, '') AS product, coalesce(line, '') AS line,
      coalesce(camera, '') AS camera, coalesce(lot, '') AS lot, verdict,
      coalesce(defect_class, '') AS defect_class, coalesce(model_version, '') AS model_version,
      count
    FROM (
      SELECT * FROM json_to_recordset(before) AS r(
        hour timestamptz, product text, line text, camera text, lot text, verdict text,
        defect_class text, model_version text, count integer
      ) UNION ALL
      SELECT CASE WHEN r.hour <= new.decided_at AND r.hour > new.decided_at - interval '2 hours'
          THEN r.hour ELSE date_trunc('hour', new.decided_at, 'UTC') END,
        product, line, camera, lot, verdict, defect_class, model_version, 1
      FROM inspections AS new
      LEFT JOIN linewatch_hours(extras) AS r ON r.id = new.id
      WHERE new.id = ANY (ids)
    ) AS changes
  ) AS named
  GROUP BY hour, product, line, camera, lot, verdict, defect_class, model_version
  HAVING sum(count) <> 0
  ORDER BY hour, product COLLATE "C", line COLLATE "C", camera COLLATE "C", lot COLLATE "C",
    verdict COLLATE "C", defect_class COLLATE "C", model_version COLLATE "C"
  ON CONFLICT (hour, product, line, camera, lot, verdict, defect_class, model_version)
  DO UPDATE SET count = inspection_hourly.count + excluded.count;
  DELETE FROM inspection_hourly AS h
  USING json_to_recordset(before) AS r(
    hour timestamptz, product text, line text, camera text, lot text, verdict text,
    defect_class text, model_version text
  )
  WHERE h.count <= 0 AND h.hour = r.hour AND h.product = coalesce(r.product, '')
    AND h.line = coalesce(r.line, '') AND h.camera = coalesce(r.camera, '')
    AND h.lot = coalesce(r.lot, '') AND h.verdict = r.verdict
    AND h.defect_class = coalesce(r.defect_class, '')
    AND h.model_version = coalesce(r.model_version, '');
  PERFORM linewatch_outbox(ids);  -- after all other locks: receivers wait for its commit
  RETURN QUERY SELECT unnest(ids);
END $$
