-- Four words and a number as one number, the same for the same. Two that differ are taken for equal
-- once in 2^64 pairs.
CREATE FUNCTION linewatch_mix(a text, b text, c text, d text, seed bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN hashtextextended(a COLLATE "C", hashtextextended(b COLLATE "C",
  hashtextextended(c COLLATE "C", hashtextextended(d COLLATE "C", seed))))
