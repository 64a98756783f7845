"""Packs the Desktop App (docs/packages.md)."""
