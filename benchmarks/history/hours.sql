INSERT INTO inspection_hourly
  (hour, product, line, camera, lot, verdict, defect_class, model_version, count)
SELECT date_trunc('hour', decided_at, 'UTC'), product, line, camera, lot, verdict,
  coalesce(defect_class, ''), coalesce(model_version, ''), count(*)
FROM inspections GROUP BY 1, 2, 3, 4, 5, 6, 7, 8;
-- Triggers do not see what is filled in here.
DO $$ BEGIN
  IF to_regclass('picture_hours') IS NOT NULL THEN PERFORM linewatch_roll_hours(true); END IF;
END $$;
