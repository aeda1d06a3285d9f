"""The stand-in server, tested with a bare HTTP client: nothing of the package's own transport takes part."""
