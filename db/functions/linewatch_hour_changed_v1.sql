-- What is counted of pictures in an hour that linewatch_roll_hours has passed goes to picture_hours as
-- well: verdicts that come days late, dead letters that are judged after all, and purges.
CREATE FUNCTION linewatch_hour_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  rolled_until timestamptz;
  one inspection_hourly := coalesce(NEW, OLD);
  more bigint := coalesce(NEW.count, 0) - coalesce(OLD.count, 0);
BEGIN
  IF more = 0 THEN  -- a row that came to nothing is deleted
    RETURN NULL;
  END IF;
  -- Who rolls up waits for whoever has read this; who comes after sees how far it went.
  SELECT until INTO rolled_until FROM retention_marks
  WHERE kind = 'picture_hours' AND product = '' FOR SHARE;
  IF rolled_until IS NULL OR one.hour >= rolled_until THEN
    RETURN NULL;
  END IF;
  INSERT INTO picture_hours AS h (hour, product, line, camera, lot, model_version,
    passed, defects, review, rejected, dead_letter)
  VALUES (one.hour, one.product, one.line, one.camera, one.lot, one.model_version,
    CASE one.verdict WHEN 'pass' THEN more ELSE 0 END,
    CASE one.verdict WHEN 'defect' THEN more ELSE 0 END,
    CASE one.verdict WHEN 'review' THEN more ELSE 0 END,
    CASE one.verdict WHEN 'rejected' THEN more ELSE 0 END,
    CASE one.verdict WHEN 'dead_letter' THEN more ELSE 0 END)
  ON CONFLICT (hour, product, line, camera, lot, model_version) DO UPDATE SET
    passed = h.passed + excluded.passed, defects = h.defects + excluded.defects,
    review = h.review + excluded.review, rejected = h.rejected + excluded.rejected,
    dead_letter = h.dead_letter + excluded.dead_letter;
  IF more < 0 THEN
    DELETE FROM picture_hours AS h
    WHERE h.hour = one.hour AND h.product = one.product AND h.line = one.line
      AND h.camera = one.camera AND h.lot = one.lot AND h.model_version = one.model_version
      AND h.passed = 0 AND h.defects = 0 AND h.review = 0 AND h.rejected = 0 AND h.dead_letter = 0;
  END IF;
  RETURN NULL;
END $$
