"""The DuckDB file in which live mode keeps sessions, labels and verdicts."""
