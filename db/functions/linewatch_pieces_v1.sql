-- The history in pieces of about half a million pictures, by whole days: the range of ids, and the
-- times. The first piece and the last have no other end.
CREATE FUNCTION linewatch_pieces()
RETURNS TABLE (first uuid, last uuid, begins timestamptz, ends timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT CASE WHEN place = 1 THEN '00000000-0000-0000-0000-000000000000'
      ELSE linewatch_first_id(day) END,
    CASE WHEN next IS NULL THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff'
      ELSE linewatch_first_id(next) END,
    CASE WHEN place = 1 THEN '-infinity' ELSE day::timestamp AT TIME ZONE 'UTC' END,
    CASE WHEN next IS NULL THEN 'infinity' ELSE next::timestamp AT TIME ZONE 'UTC' END
  FROM (
    SELECT day::date, lead(day::date) OVER (ORDER BY day) AS next,
      row_number() OVER (ORDER BY day) AS place
    FROM (
      SELECT min(made_at) AT TIME ZONE 'UTC' AS since, max(made_at) AT TIME ZONE 'UTC' AS until,
        1 + count(*) / 200000 AS pieces
      FROM parts
    ) AS all_parts
    CROSS JOIN LATERAL generate_series(date_trunc('day', since), until, greatest(
      interval '1 day', date_trunc('day', (until - since) / pieces))) AS day
  ) AS days
  ORDER BY day;
END $$
