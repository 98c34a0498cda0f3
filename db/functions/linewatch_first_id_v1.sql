-- The smallest UUID whose time is the beginning of a day in UTC (RFC 9562, section 5.7).
CREATE FUNCTION linewatch_first_id(day date) RETURNS uuid
LANGUAGE sql IMMUTABLE AS $$
  SELECT rpad(lpad(to_hex((day - date '1970-01-01') * 86400000::bigint), 12, '0'), 32, '0')::uuid
$$
