-- Of each picture once, the plant's hours that the client says its old and new verdicts lie in.
CREATE FUNCTION linewatch_hours(extras json)
RETURNS TABLE (id uuid, hour timestamptz, old_hour timestamptz)
LANGUAGE sql IMMUTABLE AS $$
  SELECT DISTINCT ON (r.id) r.* FROM json_to_recordset(extras)
    AS r(id uuid, hour timestamptz, old_hour timestamptz)
$$
