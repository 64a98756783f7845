"""What the Desktop App speaks to: JSON over POST, signed by the app key (`protocol/messages.py`)."""
