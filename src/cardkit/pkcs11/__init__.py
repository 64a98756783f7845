"""The driver for tokens behind a PKCS#11 module: other vendors' cards, as the UZI card behind SafeSign.

`readers.Pkcs11Readers` is the way in. A module is foreign code inside this process: it is tried in a process
of its own first (`probe`), loaded when a card needs it, and called by one thread at a time (`module`).
Nothing here imports `pkcs11` before a module is loaded. Source: PKCS #11 2.40.
"""
