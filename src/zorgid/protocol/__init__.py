"""What the platform and the Desktop App both say: links, contexts, signed bytes, messages.

Pure: no network, no file, no clock. Both sides import these modules, so neither can drift from the other;
foreign validators can follow them from `docs/desktop-protocol.md`.
"""
