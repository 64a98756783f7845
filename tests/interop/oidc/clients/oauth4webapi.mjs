// oauth4webapi, the low-level library under openid-client, with its strictest checks switched on.
import assert from 'node:assert/strict'
import * as oauth from 'oauth4webapi'
import { facts, privateKey, run, visitForRedirect } from './checks.mjs'

const insecure = { [oauth.allowInsecureRequests]: true }
const issuer = new URL(facts.issuer)
const answer = await oauth.discoveryRequest(issuer, { algorithm: 'oidc', ...insecure })
const server = await oauth.processDiscoveryResponse(issuer, answer)
const client = { client_id: facts.client_id, id_token_signed_response_alg: 'ES256', require_auth_time: true }
const key = await privateKey()

async function begin(extra = {}) {
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const nonce = oauth.generateRandomNonce()
  const url = new URL(server.authorization_endpoint)
  url.search = new URLSearchParams({
    client_id: facts.client_id,
    redirect_uri: facts.redirect_uri,
    response_type: 'code',
    scope: 'openid',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
    ...extra,
  })
  return { url, verifier, state, nonce }
}

async function redeem(parameters, verifier, authentication) {
  return oauth.authorizationCodeGrantRequest(
    server, client, authentication, parameters, facts.redirect_uri, verifier, insecure,
  )
}

async function tokens() {
  const { url, verifier, state, nonce } = await begin()
  const parameters = oauth.validateAuthResponse(server, client, await visitForRedirect(url), state)
  const response = await redeem(parameters, verifier, oauth.PrivateKeyJwt(key))
  const checks = { expectedNonce: nonce, maxAge: 3600, requireIdToken: true }
  const result = await oauth.processAuthorizationCodeResponse(server, client, response, checks)
  await oauth.validateApplicationLevelSignature(server, response, insecure)
  return result
}

async function refusedWith(authentication, error) {
  const { url, verifier, state } = await begin()
  const parameters = oauth.validateAuthResponse(server, client, await visitForRedirect(url), state)
  const response = await redeem(parameters, verifier, authentication)
  await assert.rejects(oauth.processAuthorizationCodeResponse(server, client, response), { status: 401, ...error })
}

function assertionWith(change) {
  return oauth.PrivateKeyJwt(key, { [oauth.modifyAssertion]: (header, payload) => change(payload, header) })
}

const now = () => Math.floor(Date.now() / 1000)

await run({
  async 'the ID token passes every check of the library, its signature included'() {
    const claims = oauth.getValidatedIdTokenClaims(await tokens())
    assert.equal(claims.iss, facts.issuer)
    assert.equal(claims.exp - claims.iat, 300)
  },
  async 'the access token is a JWT of RFC 9068 for userinfo'() {
    const { access_token: token } = await tokens()
    const request = new Request(server.userinfo_endpoint, { headers: { authorization: `Bearer ${token}` } })
    const claims = await oauth.validateJwtAccessToken(server, request, server.userinfo_endpoint, insecure)
    assert.equal(claims.client_id, facts.client_id)
  },
  async 'userinfo is about the same person'() {
    const result = await tokens()
    const { sub } = oauth.getValidatedIdTokenClaims(result)
    const response = await oauth.userInfoRequest(server, client, result.access_token, insecure)
    await oauth.processUserInfoResponse(server, client, sub, response)
  },
  async 'an assertion that expired is refused'() {
    await refusedWith(assertionWith((claims) => { claims.exp = now() - 1 }), { error: 'invalid_client' })
  },
  async 'an assertion from more than a minute ahead is refused'() {
    await refusedWith(assertionWith((claims) => { claims.iat = claims.nbf = now() + 70; claims.exp = now() + 130 }), { error: 'invalid_client' })
  },
  async 'an assertion from eight seconds ahead is taken'() {
    const { url, verifier, state, nonce } = await begin()
    const parameters = oauth.validateAuthResponse(server, client, await visitForRedirect(url), state)
    const ahead = assertionWith((claims) => { claims.iat = claims.nbf = now() + 8 })
    const response = await redeem(parameters, verifier, ahead)
    await oauth.processAuthorizationCodeResponse(server, client, response, { expectedNonce: nonce })
  },
  async 'an assertion with an array as audience is refused'() {
    await refusedWith(assertionWith((claims) => { claims.aud = [facts.issuer, server.token_endpoint] }), { error: 'invalid_client' })
  },
  async 'an assertion for another server is refused'() {
    await refusedWith(assertionWith((claims) => { claims.aud = 'https://other.example' }), { error: 'invalid_client' })
  },
  async 'an assertion shown twice is refused'() {
    const once = assertionWith((claims) => { claims.jti = 'the same' })
    const first = await begin()
    const parameters = oauth.validateAuthResponse(server, client, await visitForRedirect(first.url), first.state)
    const taken = await redeem(parameters, first.verifier, once)
    await oauth.processAuthorizationCodeResponse(server, client, taken, { expectedNonce: first.nonce })
    await refusedWith(once, { error: 'invalid_client' })
  },
  async 'no authentication and a client secret are refused'() {
    await refusedWith(oauth.None(), { error: 'invalid_client' })
    await refusedWith(oauth.ClientSecretPost('secret'), { error: 'invalid_client' })
    await refusedWith(oauth.ClientSecretBasic('secret'), { code: oauth.WWW_AUTHENTICATE_CHALLENGE })
  },
})
