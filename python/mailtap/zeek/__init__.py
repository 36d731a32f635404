"""Zeek as an engine: its package run on captures."""
