-- Make a month's partitions, unless rows of it lie in a default partition; see db/retention/partitions.py.
-- The months' bounds are UUIDs of version 7: their first 48 bits are milliseconds since 1970.
CREATE FUNCTION linewatch_add_month(month date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET lock_timeout = '5s' AS $$
DECLARE
  first uuid := linewatch_first_id(month);
  beyond uuid := linewatch_first_id((month + interval '1 month')::date);
  names text[] := ARRAY['inspections', 'inspection_scores', 'features'];
  keys text[] := ARRAY['id', 'inspection_id', 'inspection_id'];
  found_rows boolean;
BEGIN
  IF month <> date_trunc('month', month) OR month < '1970-01-01' OR month > '9999-01-01' THEN
    RAISE EXCEPTION 'a month is named by its first day';
  END IF;
  FOR n IN 1 .. 3 LOOP
    EXECUTE 'SELECT EXISTS (SELECT FROM ' || names[n] || '_default WHERE ' || keys[n] || ' >= $1 AND '
      || keys[n] || ' < $2)' INTO found_rows USING first, beyond;
    IF found_rows THEN
      RETURN false;
    END IF;
  END LOOP;
  FOR n IN 1 .. 3 LOOP
    EXECUTE 'CREATE TABLE IF NOT EXISTS ' || names[n] || to_char(month, '"_"YYYY"_"MM')
      || ' PARTITION OF ' || names[n]
      || ' FOR VALUES FROM (' || quote_literal(first) || ') TO (' || quote_literal(beyond) || ')';
  END LOOP;
  RETURN true;
END $$
