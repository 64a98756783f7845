"""The identity server's addresses: they read HTTP, call one action, and write HTTP."""
