"""How files of records are read: text, compression, JSON, CSV, and lines that are malformed."""
