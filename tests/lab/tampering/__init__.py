"""A proxy between real clients and real servers that does what each finding is about."""
