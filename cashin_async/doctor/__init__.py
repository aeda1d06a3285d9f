"""Looks whether everything is there that an upload needs. Each check is a function that gives findings; none sends
the key, changes a file, or raises for what it looks at."""
