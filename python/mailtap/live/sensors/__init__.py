"""Sensors: how they are reached, what they send, and the numbers of their records."""
