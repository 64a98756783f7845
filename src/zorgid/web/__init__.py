"""The edge towards people and programs: HTTP in, pages and documents out.

Handlers parse, call one action and answer. No rule is decided here and no SQL is written here.
"""
