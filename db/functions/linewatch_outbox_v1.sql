-- Write new verdicts into the outboxes of their lines, where these have receivers: a row a line.
CREATE FUNCTION linewatch_outbox(ids uuid[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET plan_cache_mode = force_generic_plan
  SET enable_seqscan = off SET enable_mergejoin = off AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM outbox_lines) THEN
    RETURN;
  END IF;
  PERFORM linewatch_append(line, 'pictures', entries) FROM (
    SELECT line, jsonb_agg(i.id ORDER BY i.id) AS entries
    FROM inspections AS i JOIN outbox_lines USING (line)
    WHERE i.id = ANY (ids)
    GROUP BY line
    ORDER BY line COLLATE "C" OFFSET 0  -- as every other writer
  ) AS told;
END $$
