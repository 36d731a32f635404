"""Mail sessions a sensor sees only half of, and how far its decoding agrees with a DPI engine."""
