"""The identity server's engine: OpenID Connect and OAuth 2.0 as two Dutch and international profiles ask.

Pure functions over typed requests and responses (`authorise`, `redeem`, `requirement`, `claims`, `response`),
the acts that bind them to one transaction (`granting`, `tokens`, `ending`, `rotation`), and the SQL of this
room. The web layer only reads and writes HTTP.

The order of the checks is the order of these lists; what is not built yet has its place named here:

1. `authorise.ADDRESS_CHECKS`: errors are shown to the person. Place of *pushed requests* (RFC 9126): first of
   all, a `request_uri` of ours is exchanged for the parameters that were pushed.
2. `authorise.AUTHORISATION_CHECKS`: errors go to the client. Place of *signed requests* (RFC 9101): instead
   of `check_request_objects`. Place of *DPoP* (RFC 9449, section 10): `dpop_jkt` right after `check_pkce`.
3. `requirement.sufficient_session`: whether the session that is there is proof enough.
4. `redeem.TOKEN_CHECKS`: before anything is looked up. Place of *mTLS* (RFC 8705): beside
   `check_client_assertion`.
5. `redeem.CODE_CHECKS`: after the code has been used up. Places of the *DPoP proof* and of the *certificate's
   thumbprint*: after `check_verifier`.
"""
