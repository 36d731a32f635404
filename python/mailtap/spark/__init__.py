"""Apache Spark as the query engine, and sources of sessions and labels that it reads by itself."""
