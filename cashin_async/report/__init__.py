"""What people see of an upload: while it runs, and when it has ended."""
