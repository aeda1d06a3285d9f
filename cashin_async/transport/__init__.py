"""One HTTP exchange at a time, over aiohttp, whose names never leave this room.

`exchange` says how an exchange can end, `keyring` holds the key, `pool` does the exchange,
`redaction` blanks what answers quote, `probe` looks whether anybody answers, without the key. Only `pool` and `probe`
load aiohttp.
"""
