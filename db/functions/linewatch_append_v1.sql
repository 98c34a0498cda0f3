-- Write entries into the outbox of a line, if it has receivers; returns the number of the last one,
-- or NULL. The line's row stays locked until the commit, so numbers are in commit order: this is to
-- be the last that a transaction locks.
CREATE FUNCTION linewatch_append(wanted text, what text, given jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  number bigint;
BEGIN
  UPDATE outbox_lines SET last = last + jsonb_array_length(given)
    WHERE line = wanted AND jsonb_array_length(given) > 0 RETURNING last INTO number;
  IF number IS NOT NULL THEN
    INSERT INTO outbox (line, last, first, kind, entries, written_at) VALUES (
      wanted, number, number - jsonb_array_length(given) + 1, what, given, clock_timestamp()
    );
    PERFORM pg_notify('linewatch_outbox', wanted);  -- heard once it is committed
  END IF;
  RETURN number;
END $$
