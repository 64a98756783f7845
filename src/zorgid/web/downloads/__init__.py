"""The page from which people get the Desktop App (INFO-5)."""
