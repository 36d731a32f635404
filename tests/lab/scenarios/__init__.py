"""What is done with the servers, each with what the record must say of it."""
