-- Insert new inspections with their scores, features and counts; returns the ids that are new. See
-- db/inspections/batch_insert.py for what is given. Who may call this may add rows, and change none.
CREATE FUNCTION linewatch_commit(
  given json, extras json, vectors bytea, named text[]
) RETURNS SETOF uuid
LANGUAGE plpgsql SECURITY DEFINER AS $$
#variable_conflict use_column
BEGIN
  IF NOT named <@ ARRAY(
    SELECT attname::text FROM pg_attribute
    WHERE attrelid = 'inspections'::regclass AND attnum > 0 AND NOT attisdropped
  ) THEN
    PERFORM linewatch_refuse_unknown(named);  -- says which
  END IF;
  RETURN QUERY
  WITH extra AS MATERIALIZED (
    SELECT DISTINCT ON (id) * FROM json_to_recordset(extras) AS r(
      id uuid, hour timestamptz, probabilities jsonb, fingerprint text, begin integer, size integer,
      shadow_version text, shadow_verdict text, shadow_reason text, shadow_probabilities jsonb
    )
  ), new AS (
    INSERT INTO inspections SELECT * FROM json_populate_recordset(NULL::inspections, given)
    ON CONFLICT (id) DO NOTHING RETURNING *
  ), scored AS (
    INSERT INTO inspection_scores (inspection_id, model_version, probabilities)
    SELECT new.id, new.model_version, probabilities FROM new JOIN extra ON new.id = extra.id
    WHERE probabilities IS NOT NULL
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
      coalesce(defect_class, '') AS defect_class,
      coalesce(model_version, '') AS model_version
    FROM new LEFT JOIN extra ON new.id = extra.id
  ), counted AS (
    INSERT INTO inspection_hourly
      (hour, product, line, camera, lot, verdict, defect_class, model_version, count)
    SELECT hour, product, line, camera, lot, verdict, defect_class, model_version, count(*)
    FROM counting
    GROUP BY hour, product, line, camera, lot, verdict, defect_class, model_version
    -- In Python's order of strings, which is that of every other writer of these rows.
    ORDER BY hour, product COLLATE "C", line COLLATE "C", camera COLLATE "C", lot COLLATE "C",
      verdict COLLATE "C", defect_class COLLATE "C", model_version COLLATE "C"
    ON CONFLICT (hour, product, line, camera, lot, verdict, defect_class, model_version)
    DO UPDATE SET count = inspection_hourly.count + excluded.count
  )
  SELECT id FROM new;
END $$
