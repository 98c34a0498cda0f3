-- Sum up inspection_hourly into picture_hours, a row with a column for each verdict: all hours that
-- ended three days ago and were not summed up yet; or, with `again`, every hour anew. Counts of an hour
-- that is summed up are kept by linewatch_hour_changed, which looks at what is older than two days: so
-- commits, whose hour is now, pay nothing. Returns up to when hours are summed up.
CREATE FUNCTION linewatch_roll_hours(again boolean) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET jit = off SET work_mem = '64MB' AS $$
DECLARE
  begins timestamptz;
  ends timestamptz := date_trunc('hour', now() - interval '3 days', 'UTC');
BEGIN
  SELECT until INTO begins FROM retention_marks
  WHERE kind = 'picture_hours' AND product = '' FOR UPDATE;
  IF begins IS NULL THEN  -- never yet: whoever counts now has not seen that it is
    LOCK TABLE inspection_hourly IN SHARE ROW EXCLUSIVE MODE;
    INSERT INTO retention_marks (kind, product, until)
    VALUES ('picture_hours', '', '0001-01-02 00:00:00+00') ON CONFLICT DO NOTHING;
    SELECT until INTO begins FROM retention_marks
    WHERE kind = 'picture_hours' AND product = '' FOR UPDATE;
  END IF;
  IF again THEN
    DELETE FROM picture_hours;
    begins := '-infinity';
  END IF;
  INSERT INTO picture_hours (hour, product, line, camera, lot, model_version,
    passed, defects, review, rejected, dead_letter)
  SELECT hour, product, line, camera, lot, model_version,
    coalesce(sum(count) FILTER (WHERE verdict = 'pass'), 0),
    coalesce(sum(count) FILTER (WHERE verdict = 'defect'), 0),
    coalesce(sum(count) FILTER (WHERE verdict = 'review'), 0),
    coalesce(sum(count) FILTER (WHERE verdict = 'rejected'), 0),
    coalesce(sum(count) FILTER (WHERE verdict = 'dead_letter'), 0)
  FROM inspection_hourly WHERE hour >= begins AND hour < ends
  GROUP BY hour, product, line, camera, lot, model_version
  ORDER BY hour;
  UPDATE retention_marks SET until = greatest(until, ends)
  WHERE kind = 'picture_hours' AND product = '';
  RETURN greatest(begins, ends);
END $$
