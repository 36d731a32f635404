"""Live: sensors and labels as they come, correlated as they come."""
