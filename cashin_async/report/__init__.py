"""What people see of an upload and of a ledger: on the terminal, and in files."""
