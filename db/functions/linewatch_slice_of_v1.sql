-- The shift that an instant lies in by a calendar (a line's, or '' for that of all others), and its
-- slice: the quarter hour, cut where the shift begins. Where the calendar does not reach so far the
-- UTC day stands for a shift.
CREATE FUNCTION linewatch_slice_of(calendar text, at timestamptz) RETURNS TABLE (
  slice_at timestamptz, shift_at timestamptz, shift_ends_at timestamptz, shift text, plant_day date
) LANGUAGE sql STABLE BEGIN ATOMIC
  SELECT greatest(date_bin('15 minutes', at, '2000-01-01 00:00Z'), s.starts_at),
    coalesce(s.starts_at, date_trunc('day', at, 'UTC')),
    coalesce(s.ends_at, date_trunc('day', at, 'UTC') + interval '24 hours'),
    coalesce(s.shift::text, 'no shift'), coalesce(s.plant_day, (at AT TIME ZONE 'UTC')::date)
  FROM (SELECT) AS one
  LEFT JOIN LATERAL (
    SELECT starts_at, ends_at, shift, plant_day FROM (
      SELECT starts_at, ends_at, shift, plant_day FROM shift_spans
      WHERE line = calendar AND starts_at <= at ORDER BY starts_at DESC LIMIT 1
    ) AS last WHERE ends_at > at
  ) AS s ON true;
END
