"""How our programs connect to Redis, and the users (ACL) that they log in as."""
