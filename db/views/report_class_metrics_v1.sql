-- Cross-validated figures of every model version by class; champion marks the one in force.
SELECT
    runs.product AS product,
    runs.model_version AS model_version,
    runs.id AS training_run_id,
    runs.finished_at AS finished_at,
    metrics.class AS class,
    metrics.precision AS precision,
    metrics.recall AS recall,
    metrics.f1 AS f1,
    metrics.support AS support,
    metrics.scored AS scored,
    COALESCE(runs.model_version = in_force.version, 1 = 0) AS champion
FROM training_runs AS runs
INNER JOIN class_metrics AS metrics ON metrics.training_run_id = runs.id
LEFT JOIN deployments AS in_force
    ON in_force.id = (
        SELECT MAX(newest.id)
        FROM deployments AS newest
        WHERE newest.product = runs.product AND newest.role = 'champion'
    )
WHERE runs.state = 'succeeded';
