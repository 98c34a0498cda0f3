-- The plant: products, classes, lines, cameras, model versions; and a uniform number in [0, 1) of two.
CREATE FUNCTION u(n bigint, salt bigint) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
  SELECT (hashint8extended(n, salt) & 1048575) / 1048576.0::float8
$$;

INSERT INTO products (code, name, spec, created_at)
SELECT 'product-' || p, 'product-' || p, '{}', now() FROM generate_series(0, 2) AS p;
INSERT INTO defect_classes (product, code, good, prompts, position)
SELECT 'product-' || p, CASE c WHEN 0 THEN 'good' ELSE 'defect-' || c END, c = 0, '[]', c
FROM generate_series(0, 2) AS p, generate_series(0, 8) AS c;
INSERT INTO lines (code, name) SELECT 'line-' || l, 'line-' || l FROM generate_series(1, 4) AS l;
INSERT INTO cameras (line, code, first_seen_at)
SELECT 'line-' || l, 'camera-' || c, now() FROM generate_series(1, 4) AS l, generate_series(1, 3) AS c;
INSERT INTO model_versions
  (version, product, number, fingerprint, encoders, manifest_sha256, created_at)
SELECT 'product-' || p || '-' || v, 'product-' || p, v, 'f', 'e', '', now()
FROM generate_series(0, 2) AS p, generate_series(1, 1 + %(days)s / 40) AS v;
