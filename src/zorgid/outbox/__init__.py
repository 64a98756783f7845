"""Events: what happened is stored with the act itself, and others hear of it afterwards, at least once.

`cards` can say "held" without knowing of mail, sessions or webhooks: `app.py` wires the handlers. What must
happen in the same transaction is a companion; what may happen afterwards is a handler of the dispatcher.
"""
