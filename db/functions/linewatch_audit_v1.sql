-- Append one entry to the audit log; returns its hash. Number, time, database user and hash are
-- set here, and nobody but the owner can write the table.
CREATE FUNCTION linewatch_audit(
  actor text, action text, subject text, detail json, os_uid bigint, os_user text
) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET lock_timeout = '10s' AS $$
DECLARE
  -- The user that logged in, or the role that it has put on, which may do less.
  who name := coalesce(nullif(current_setting('role'), 'none'), session_user);
  now_at timestamptz;
  newest record;
  number bigint;
  said text[];
  made text;
BEGIN
  IF NOT linewatch_may_say(who, action) THEN
    RAISE insufficient_privilege USING MESSAGE =
      'permission denied: ' || who || ' may not write of ' || action || ' in the audit log';
  END IF;
  IF json_typeof(detail) <> 'object' OR length(detail::text) > 65536
    OR length(detail::text) - length(translate(detail::text, '[{', '')) > 500
    OR length(actor) > 4000 OR length(action) > 200 OR length(subject) > 4000
    OR length(os_user) > 200 THEN
    RAISE EXCEPTION 'an entry of the audit log is too long, or its detail is no object';
  END IF;
  PERFORM linewatch_lock('audit');
  now_at := clock_timestamp();
  SELECT l.id, l.hash INTO newest FROM audit_log l ORDER BY l.id DESC LIMIT 1;
  -- The sequence goes on for versions that number entries by it; a number of somebody's choice,
  -- as those versions' roles could write it, must not stand behind later entries for ever.
  number := nextval(pg_get_serial_sequence('audit_log', 'id'));
  IF number <= newest.id THEN
    number := newest.id + 1;
    PERFORM setval(pg_get_serial_sequence('audit_log', 'id'), number);
  END IF;
  -- The same bytes as in db/audit.py: each field as a netstring, '-' for none.
  said := ARRAY[
    coalesce(newest.hash, repeat('0', 64)),
    to_char(now_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US') || '+00:00',
    actor, action, subject, detail::text, os_uid::text, os_user, session_user::text
  ];
  SELECT string_agg(
      coalesce(octet_length(convert_to(field, 'UTF8')) || ':' || field || ',', '-'), '' ORDER BY place
    ) INTO made FROM unnest(said) WITH ORDINALITY AS fields(field, place);
  made := encode(sha256(convert_to(made, 'UTF8')), 'hex');
  INSERT INTO audit_log
    (id, at, actor, action, subject, detail, previous_hash, hash,
     format, os_uid, os_user, database_user)
  VALUES
    (number, now_at, actor, action, subject, detail, said[1], made,
     2, os_uid, os_user, session_user);
  RETURN made;
END $$
