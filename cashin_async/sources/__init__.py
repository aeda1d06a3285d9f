"""Where invoices come from: lazily read, checked one by one, each with the place or object it came from."""
