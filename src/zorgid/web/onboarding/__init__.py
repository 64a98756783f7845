"""The two doors that open with a proof and no session: making a Smartcard and validating an organisation."""
