"""What `mailtap live` shows: a page that updates itself, metrics, and whether it is well."""
