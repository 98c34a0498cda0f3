-- The same of a line, which may have a calendar of its own.
CREATE FUNCTION linewatch_slice(of_line text, at timestamptz) RETURNS TABLE (
  slice_at timestamptz, shift_at timestamptz, shift_ends_at timestamptz, shift text, plant_day date
) LANGUAGE sql STABLE BEGIN ATOMIC
  SELECT s.slice_at, s.shift_at, s.shift_ends_at, s.shift, s.plant_day
  FROM (
    SELECT CASE WHEN EXISTS (SELECT FROM shift_spans WHERE line = of_line)
      THEN of_line ELSE '' END AS calendar
  ) AS whose
  CROSS JOIN LATERAL linewatch_slice_of(whose.calendar, at) AS s;
END
