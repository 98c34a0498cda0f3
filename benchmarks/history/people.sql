-- What people said: labels of every second picture that was for review, one good in three of them,
-- and decisions on every fiftieth part with a defect.
INSERT INTO labels
  (inspection_id, product, label, labelled_by, labelled_at, recorded_at, source, note)
SELECT id, product, CASE WHEN u(hashtext(part), 11) < 0.3 THEN defect_class ELSE 'good' END, 'ann',
  decided_at + interval '2 hours', decided_at + interval '2 hours', 'person', ''
FROM inspections WHERE verdict = 'review' AND u(hashtext(part), 10) < 0.5;

/* parts */
INSERT INTO decisions (product, part, pass_number, disposition, defect_class, decided_by, decided_at,
  recorded_at, source, why)
SELECT product, part, 1, CASE WHEN good THEN 'conforming' ELSE 'nonconforming' END,
  CASE WHEN NOT good THEN 'defect-1' END, 'bob', at, at, 'person', ''
FROM (
  SELECT product, part, u(hashtext(part), 13) < 0.5 AS good, min(decided_at) + interval '1 hour' AS at
  FROM inspections WHERE verdict IN ('defect', 'dead_letter') AND u(hashtext(part), 12) < 0.02
  GROUP BY product, part
) AS parts;
/* parts */
