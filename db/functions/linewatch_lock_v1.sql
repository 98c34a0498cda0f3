-- Wait until no other transaction holds the lock of this name, then hold it until the end of ours.
-- A row and no advisory lock: those anybody who may connect can take, and keep.
CREATE FUNCTION linewatch_lock(wanted text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET lock_timeout = '10s' AS $$
BEGIN
  IF wanted NOT IN ('audit', 'golden') THEN
    RAISE EXCEPTION 'Linewatch has no lock of this name';
  END IF;
  INSERT INTO locks (name) VALUES (wanted) ON CONFLICT DO NOTHING;
  PERFORM FROM locks WHERE name = wanted FOR UPDATE;
END $$
