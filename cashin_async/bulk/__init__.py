"""The bulk-upload engine.

Pure, without I/O and without a clock: `outcome`, `knowledge`, `chunk`, `headers`, `verdict`, `apportion`, `admission`,
`lookup`, `calibration`. Around them: `gate` (admission in real time), `intake` (from records to chunks), `courier` (one
chunk to its verdict), `settle` (unknowns, by look-up), `engine` (a whole run), `single` (one request).
"""
