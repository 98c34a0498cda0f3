-- Whether a picture that says `challenge` is one: it was made while a challenge of its line was open
-- that names its part. See db/challenges/pictures.py.
CREATE FUNCTION linewatch_challenged(of_line text, of_product text, of_serial text, at timestamptz)
RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (
    SELECT FROM challenge_parts AS p JOIN challenges AS c ON c.id = p.challenge_id
    WHERE p.product = of_product AND p.serial = of_serial AND c.line = of_line
      AND c.started_at <= at AND at < least(c.ended_at, c.expires_at)
  )
$$
