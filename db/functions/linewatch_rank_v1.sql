-- How bad a view is: 3 shows a defect, 2 is for a person, 1 could not be inspected, 0 passes.
CREATE FUNCTION linewatch_rank(verdict text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE verdict WHEN 'defect' THEN 3 WHEN 'review' THEN 2 WHEN 'pass' THEN 0 ELSE 1 END
