-- Refuse rows with columns that inspections does not have: they would be lost without a word.
CREATE FUNCTION linewatch_refuse_unknown(named text[]) RETURNS void
LANGUAGE plpgsql STABLE AS $$
DECLARE
  missing text;
BEGIN
  SELECT string_agg(name, ', ') INTO missing FROM unnest(named) AS name
  WHERE NOT EXISTS (
    SELECT FROM pg_attribute
    WHERE attrelid = to_regclass('inspections') AND attname = name AND NOT attisdropped
  );
  IF missing IS NOT NULL THEN
    RAISE undefined_column USING MESSAGE = 'table inspections has no column ' || missing;
  END IF;
END $$
