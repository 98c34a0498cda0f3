-- Give a product the secret by which its audit sample is drawn, if it has none. It is made here, so
-- that nobody has seen it: 244 bits of the server's strong random numbers.
CREATE FUNCTION linewatch_seed(of_product text) RETURNS void
LANGUAGE sql SECURITY DEFINER AS $$
  INSERT INTO audit_seeds (product, seed, made_at)
  SELECT of_product, sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), now()
  WHERE EXISTS (SELECT FROM products WHERE code = of_product)
  ON CONFLICT DO NOTHING
$$
