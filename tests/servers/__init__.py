"""Real servers on this machine for tests and development: Apache Kafka and PostgreSQL, without Docker."""
