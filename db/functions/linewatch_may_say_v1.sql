-- Whether a role may do the deed that an action of the audit log names: who may not promote, may
-- not write that somebody did. Backups are the owner's, who alone may write the log itself. Other
-- actions are anybody's who may write at all.
CREATE FUNCTION linewatch_may_say(who name, action text) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT CASE
    WHEN action IN ('model.add', 'model.gate', 'model.precision')
      THEN has_table_privilege(who, 'model_versions', 'INSERT')
    WHEN kind = 'model' THEN has_table_privilege(who, 'deployments', 'INSERT')
    WHEN kind = 'label' THEN has_table_privilege(who, 'labels', 'INSERT')
    WHEN kind = 'decision' THEN has_table_privilege(who, 'decisions', 'INSERT')
    WHEN kind = 'audit_sample' THEN has_table_privilege(who, 'audit_answers', 'INSERT')
    WHEN kind = 'challenge' THEN has_table_privilege(who, 'challenges', 'INSERT')
    WHEN kind = 'golden' THEN has_table_privilege(who, 'golden_items', 'INSERT')
    WHEN kind = 'product' THEN has_table_privilege(who, 'products', 'INSERT')
    WHEN kind = 'dead_letter' THEN has_table_privilege(who, 'requeues', 'INSERT')
    WHEN kind = 'line' THEN has_any_column_privilege(who, 'lines', 'UPDATE')
    WHEN kind = 'retention' THEN has_table_privilege(who, 'inspections', 'DELETE')
    WHEN kind = 'shifts' THEN has_table_privilege(who, 'shift_calendars', 'INSERT')
    WHEN kind = 'chart' THEN has_table_privilege(who, 'chart_baselines', 'INSERT')
    WHEN kind = 'backup' THEN has_table_privilege(who, 'audit_log', 'INSERT')
    ELSE true
  END FROM split_part(action, '.', 1) AS kind
$$
