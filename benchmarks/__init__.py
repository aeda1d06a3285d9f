"""The benchmarks: what this project costs against its peers and against the wire. See README.md beside this file."""
