"""One HTTP exchange at a time, over aiohttp, whose names never leave this room.

`exchange` says how an exchange can end, `keyring` holds the key, `pool` does the exchange,
`redaction` blanks what answers quote. Only `pool` loads aiohttp.
"""
