"""Batches of records, with the same fields as records that are read from a file."""
