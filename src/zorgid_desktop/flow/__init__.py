"""The steps of logging in and of making a card; no terminal, no window, no browser."""
