-- Insert new inspections with their scores, features and counts; returns the ids that are new. See
-- db/inspections/batch_insert.py for what is given. Who may call this may add rows, and change none.
-- One that a purge took, and whose message comes again, is counted already.
CREATE FUNCTION linewatch_commit(
  given json, extras json, vectors bytea, named text[]
) RETURNS SETOF uuid
LANGUAGE plpgsql SECURITY DEFINER SET plan_cache_mode = force_generic_plan
  SET enable_seqscan = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  ids uuid[];
  products text[];
  serials text[];
  singles uuid[];
  hours inspection_hourly[];
BEGIN
  IF NOT named <@ ARRAY(
    SELECT attname::text FROM pg_attribute
    WHERE attrelid = 'inspections'::regclass AND attnum > 0 AND NOT attisdropped
  ) THEN
    PERFORM linewatch_refuse_unknown(named);  -- says which
  END IF;
  WITH extra AS MATERIALIZED (
    SELECT DISTINCT ON (id) * FROM json_to_recordset(extras) AS r(
      id uuid, hour timestamptz, fingerprint text, begin integer, size integer,
      shadow_version text, shadow_verdict text, shadow_reason text, shadow_probabilities jsonb
    )
  ), new AS (
    INSERT INTO inspections (
      id, product, line, camera, part, lot, image_uri, image_sha256, captured_at, enqueued_at,
      decided_at, verdict, defect_class, confidence, model_version, attempt, reason, detail, worker,
      seen, pass_number, views, work_order, purpose, site, trace_id, made_at, by_receipt)
    SELECT
      id, product, line, camera, part, lot, image_uri, image_sha256, captured_at, enqueued_at,
      decided_at, verdict, defect_class, confidence, model_version, attempt, reason, detail, worker,
      seen, pass_number, views, work_order, purpose, site, trace_id, m.made_at,
      m.made_at IS DISTINCT FROM captured_at
    FROM json_populate_recordset(NULL::inspections, given) AS r
    CROSS JOIN LATERAL (SELECT linewatch_made_at(r.captured_at, now())) AS m(made_at)
    ON CONFLICT (id) DO NOTHING
    RETURNING id, product, line, camera, part, lot, decided_at, verdict, defect_class, model_version
  ), counted_before AS MATERIALIZED (
    SELECT n.id FROM new AS n
    WHERE n.id <= greatest(  -- nearly every id is younger than all that was purged
        (SELECT v.id FROM purged_views AS v ORDER BY v.id DESC LIMIT 1),
        (SELECT s.id FROM purged_singles AS s ORDER BY s.id DESC LIMIT 1))
      AND (EXISTS (SELECT FROM purged_views AS v WHERE v.id = n.id OFFSET 0)
        OR EXISTS (SELECT FROM purged_singles AS s WHERE s.id = n.id OFFSET 0))
  ), shadowed AS (
    INSERT INTO inspection_scores (inspection_id, model_version, probabilities, verdict, reason)
    SELECT new.id, shadow_version, shadow_probabilities, shadow_verdict, shadow_reason
    FROM new JOIN extra ON new.id = extra.id WHERE shadow_version IS NOT NULL
  ), kept AS (
    INSERT INTO features (inspection_id, fingerprint, vector, created_at)
    SELECT new.id, fingerprint, substring(vectors FROM begin FOR size), new.decided_at
    FROM new JOIN extra ON new.id = extra.id WHERE size IS NOT NULL
  ), counting AS (
    -- The plant's hour is the client's to say, since the database does not know its time zone; one
    -- that does not hold the verdict's instant is not believed.
    SELECT
      CASE WHEN extra.hour <= new.decided_at AND extra.hour > new.decided_at - interval '2 hours'
        THEN extra.hour ELSE date_trunc('hour', new.decided_at, 'UTC') END AS hour,
      coalesce(product, '') AS product, coalesce(line, '') AS line, coalesce(camera, '') AS camera,
      coalesce(lot, '') AS lot, coalesce(verdict, '') AS verdict,
      coalesce(defect_class, '') AS defect_class, coalesce(model_version, '') AS model_version
    FROM new LEFT JOIN extra ON extra.id = new.id
    WHERE NOT EXISTS (SELECT FROM counted_before AS b WHERE b.id = new.id OFFSET 0)
  ), counted AS (
    SELECT hour, product, line, camera, lot, verdict, defect_class, model_version, count(*)
    FROM counting
    GROUP BY hour, product, line, camera, lot, verdict, defect_class, model_version
  )
  SELECT array_agg(id), array_agg(coalesce(product, '')) FILTER (WHERE part <> ''),
    array_agg(part) FILTER (WHERE part <> ''),
    array_agg(id) FILTER (WHERE coalesce(part, '') = ''
      AND NOT EXISTS (SELECT FROM counted_before AS b WHERE b.id = new.id OFFSET 0)),
    (SELECT array_agg(ROW(hour, product, line, camera, lot, verdict, defect_class, model_version,
      count)::inspection_hourly) FROM counted)
  INTO ids, products, serials, singles, hours FROM new;
  IF ids IS NULL THEN
    RETURN;
  END IF;

  -- Counts come last: workers wait for each other on these few rows.
  IF serials IS NOT NULL THEN
    PERFORM linewatch_settle(products, serials, '{}');
  END IF;
  IF singles IS NOT NULL THEN
    PERFORM linewatch_add_counts(
      ARRAY(SELECT counted FROM linewatch_picture_counts(singles))
    );
    IF EXISTS (SELECT FROM audit_shares) THEN
      PERFORM linewatch_draw(json_agg(json_build_object('product', (c).product, 'serial', '',
        'scope', picture, 'pass_number', 1, 'model_disposition', (c).model_disposition,
        'model_classes', (c).classes, 'line', (c).line, 'lot', (c).lot, 'made_at', made_at,
        'slice_at', (c).slice_at)))
      FROM linewatch_picture_counts(singles) AS r(picture, made_at, c);
    END IF;
  END IF;
  INSERT INTO inspection_hourly  -- nothing, where all are counted already
    (hour, product, line, camera, lot, verdict, defect_class, model_version, count)
  SELECT hour, product, line, camera, lot, verdict, defect_class, model_version, count
  FROM unnest(hours)
  -- In Python's order of strings, which is that of every other writer of these rows.
  ORDER BY hour, product COLLATE "C", line COLLATE "C", camera COLLATE "C", lot COLLATE "C",
    verdict COLLATE "C", defect_class COLLATE "C", model_version COLLATE "C"
  ON CONFLICT (hour, product, line, camera, lot, verdict, defect_class, model_version)
  DO UPDATE SET count = inspection_hourly.count + excluded.count;
  PERFORM linewatch_outbox(ids);  -- after all other locks: receivers wait for its commit
  RETURN QUERY SELECT unnest(ids);
END $$
