-- When a picture counts: as its camera says, unless that is nothing, too long ago or still to come.
-- See quality/parts/parts.py.
CREATE FUNCTION linewatch_made_at(captured timestamptz, received timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE WHEN captured >= received - interval '744 hours'
  AND captured <= received + interval '5 minutes' THEN captured ELSE received END
