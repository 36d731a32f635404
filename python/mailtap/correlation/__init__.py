"""Sessions joined with third-party labels: pairs, verdicts, causes."""
