"""What needs a proof first: validating an organisation and becoming its administrator.

Accepting an appointment and registering oneself follow with the phone.
"""
