"""What a run found out: its model, and how it is shown."""
