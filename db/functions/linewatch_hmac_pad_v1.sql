-- The key of HMAC (RFC 2104) with a byte added to each of its 64: 54 for the inner hash, 92 for the
-- outer one. `sha256` is built in; HMAC itself is not.
CREATE FUNCTION linewatch_hmac_pad(key bytea, byte integer) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT decode(string_agg(lpad(to_hex(
    CASE WHEN n < length(key) THEN get_byte(key, n) ELSE 0 END # byte), 2, '0'), '' ORDER BY n), 'hex')
  FROM generate_series(0, 63) AS n
$$
