"""The demo world: stand-ins for everything outside the platform, and test people. Never in production."""
