-- Draw parts for the audit sample: where the model's disposition is final, whatever people said, of the
-- share that was wanted of their product when they were made. By quality/audit/draw.py, which does it
-- on SQLite; the key is the part's alone, so it is one draw however often it is made.
CREATE FUNCTION linewatch_draw(candidates json) RETURNS void
LANGUAGE sql AS $$
  WITH seeds AS MATERIALIZED (
    SELECT product, linewatch_hmac_pad(seed, 54) AS inner_pad,
      linewatch_hmac_pad(seed, 92) AS outer_pad
    FROM audit_seeds WHERE product IN (SELECT product FROM audit_shares)
  ), hashed AS MATERIALIZED (
    SELECT c.*, share, sha256(outer_pad || sha256(inner_pad || convert_to(
      concat(octet_length(convert_to(c.product, 'UTF8')), ':', c.product, ',',
        octet_length(convert_to(c.serial, 'UTF8')), ':', c.serial, ',',
        octet_length(convert_to(c.scope, 'UTF8')), ':', c.scope, ',',
        length(c.pass_number::text), ':', c.pass_number, ','), 'UTF8'))) AS mac
    FROM json_to_recordset(candidates) AS c(
      product text, serial text, scope text, pass_number integer, model_disposition text,
      model_classes text, line text, lot text, made_at timestamptz, slice_at timestamptz)
    JOIN seeds AS s ON s.product = c.product
    CROSS JOIN LATERAL (
      SELECT share FROM audit_shares AS h WHERE h.product = c.product AND h.since <= c.slice_at
      ORDER BY since DESC LIMIT 1
    ) AS h
    WHERE c.model_disposition <> 'open' AND share > 0
  )
  INSERT INTO audit_sample (product, serial, scope, pass_number, id, share, drawn_at,
    model_disposition, model_classes, line, lot, made_at, slice_at)
  SELECT product, serial, scope, pass_number, encode(substring(mac FROM 9 FOR 16), 'hex')::uuid,
    share, now(), model_disposition, model_classes, line, lot, made_at, slice_at
  FROM hashed
  -- The first 53 bits, which float8 holds exactly.
  WHERE ((('x' || encode(substring(mac FOR 8), 'hex'))::bit(64)::bigint >> 11) & 9007199254740991)
    / 9007199254740992::float8 < share
  ORDER BY product COLLATE "C", serial COLLATE "C", scope COLLATE "C", pass_number
  ON CONFLICT DO NOTHING
$$
