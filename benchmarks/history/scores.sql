-- What 0.1.0 kept of every judged picture: each class's probability, as the worker wrote it.
WITH shares AS MATERIALIZED (
  SELECT v, jsonb_object_agg(CASE c WHEN 0 THEN 'good' ELSE 'defect-' || c END, u(v * 9 + c, 14) / 9 + u(c, v) * 1e-9)
    AS probabilities
  FROM generate_series(0, 255) AS v, generate_series(0, 8) AS c GROUP BY v
)
INSERT INTO inspection_scores (inspection_id, model_version, probabilities)
SELECT id, model_version, probabilities
FROM inspections JOIN shares ON v = hashtext(image_uri) & 255 WHERE model_version IS NOT NULL;
