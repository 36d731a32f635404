"""From batches of records to verdicts and counts: what live mode keeps, joins and tallies."""
