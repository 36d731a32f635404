"""From capture files to session lines."""
