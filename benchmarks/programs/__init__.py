"""The programs that are compared, each as somebody who knows its libraries would write it."""

from benchmarks.programs.job import Job

PROGRAMS = {
    "raw-lines": ("raw_socket", "from_lines"),
    "raw-built": ("raw_socket", "from_structs"),
    "blast": ("blast", "ready_bytes"),
    "httpx-gather": ("httpx_pydantic", "gather"),
    "httpx-workers": ("httpx_pydantic", "workers"),
    "aiohttp-gather": ("aiohttp_json", "gather"),
    "requests-threads": ("requests_json", "threads"),
    "ours-lines": ("ours", "from_lines"),
    "ours-structs": ("ours", "from_structs"),
    "ours-dicts": ("ours", "from_dicts"),
    "ours-async": ("ours", "from_async"),
    "ours-read": ("ours", "only_read"),
    "stages-lines": ("stages", "of_lines"),
    "stages-structs": ("stages", "of_structs"),
    "create": ("create", "beside_bare_post"),
    "decode": ("decode", "in_turns"),
    "rules": ("rules", "beside_json"),
}
"""Name: module in this room, and its function from a `Job` to how many invoices were accepted."""

__all__ = ["PROGRAMS", "Job"]
