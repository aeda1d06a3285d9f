"""The bulk-upload engine.

Pure, without I/O and without a clock: `outcome`, `numbers`, `chunk`, `headers`, `verdict`, `admission`.
Around them: `gate` (admission in real time), `courier` (one chunk to its verdict), `engine` (a whole run).
"""
