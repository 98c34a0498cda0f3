-- Drop a month's partitions; returns about how many inspections they held. The foreign keys of
-- labels and golden pictures refuse a month of which something is kept.
CREATE FUNCTION linewatch_drop_month(month date) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET lock_timeout = '5s' AS $$
DECLARE
  suffix text := to_char(month, '"_"YYYY"_"MM');
  held bigint;
BEGIN
  SELECT reltuples::bigint INTO held FROM pg_class WHERE oid = to_regclass('inspections' || suffix);
  IF held < 0 THEN  -- never analysed: then it is small
    EXECUTE 'SELECT count(*) FROM inspections' || suffix INTO held;
  END IF;
  EXECUTE 'DROP TABLE features' || suffix;
  EXECUTE 'DROP TABLE inspection_scores' || suffix;
  EXECUTE 'ALTER TABLE inspections DETACH PARTITION inspections' || suffix;
  EXECUTE 'DROP TABLE inspections' || suffix;
  RETURN held;
END $$
