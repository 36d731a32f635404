"""Streams of a DPI engine's labels, and how their lines are read."""
