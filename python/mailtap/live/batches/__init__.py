"""Batches of records as Arrow tables, with the same fields as records that are read from a file."""
