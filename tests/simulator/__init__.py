"""A small deterministic DynamoDB for tests; see README.md beside this file."""
