// openid-client, a certified relying party library, against the identity server.
import assert from 'node:assert/strict'
import * as client from 'openid-client'
import { facts, privateKey, run, visitForForm, visitForRedirect } from './checks.mjs'

const key = await privateKey()

async function discovered(metadata = {}, options = {}) {
  const asked = { id_token_signed_response_alg: 'ES256', ...metadata }
  return client.discovery(new URL(facts.issuer), facts.client_id, asked, client.PrivateKeyJwt(key), {
    execute: [client.allowInsecureRequests],
    ...options,
  })
}

const config = await discovered()

async function attempt(extra = {}) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const expectedState = client.randomState() + ' ~!*\'()"<>&%+'
  const expectedNonce = client.randomNonce()
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: facts.redirect_uri,
    scope: 'openid profile',
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
    nonce: expectedNonce,
    ...extra,
  })
  return { url, expected: { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true } }
}

async function tokensBy(extra, using = config) {
  const { url, expected } = await attempt(extra)
  const back = await visitForRedirect(url)
  const tokens = await client.authorizationCodeGrant(using, back, expected)
  return { tokens, back, expected }
}

await run({
  async 'discovery by OpenID Connect and by RFC 8414 agree'() {
    const other = await discovered({}, { algorithm: 'oauth2' })
    assert.deepEqual(other.serverMetadata(), config.serverMetadata())
    assert.equal(config.serverMetadata().supportsPKCE(), true)
  },
  async 'the code flow by query ends at userinfo'() {
    const { tokens } = await tokensBy({ max_age: '3600' })
    const claims = tokens.claims()
    const told = await client.fetchUserInfo(config, tokens.access_token, claims.sub)
    assert.equal(told['urn:zorgid:uzi_number'], facts.uzi_number)
    assert.equal(told.name, facts.name)
    assert.ok(claims.sid && claims.acr && claims.auth_time)
    assert.equal(claims.amr, undefined)
  },
  async 'the code flow by form ends at userinfo'() {
    const { url, expected } = await attempt({ response_mode: 'form_post' })
    const tokens = await client.authorizationCodeGrant(config, await visitForForm(url), expected)
    const told = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub)
    assert.equal(told['urn:zorgid:organisation'].ura, facts.ura)
  },
  async 'userinfo comes signed for a client that takes nothing else'() {
    const signed = await discovered({ userinfo_signed_response_alg: 'ES256' })
    const { tokens } = await tokensBy({}, signed)
    const told = await client.fetchUserInfo(signed, tokens.access_token, tokens.claims().sub)
    assert.equal(told['urn:zorgid:uzi_number'], facts.uzi_number)
  },
  async 'a response without iss is refused by the client'() {
    const { url, expected } = await attempt()
    const back = await visitForRedirect(url)
    back.searchParams.delete('iss')
    await assert.rejects(client.authorizationCodeGrant(config, back, expected), { code: 'OAUTH_INVALID_RESPONSE' })
  },
  async 'a code used again is refused and its access token ends'() {
    const { tokens, back, expected } = await tokensBy()
    await assert.rejects(client.authorizationCodeGrant(config, back, expected), { error: 'invalid_grant' })
    await assert.rejects(client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub), (error) => {
      assert.equal(error.status, 401)
      assert.equal(error.cause[0].parameters.error, 'invalid_token')
      return true
    })
  },
  async 'another verifier is refused'() {
    const { url, expected } = await attempt()
    const back = await visitForRedirect(url)
    const wrong = { ...expected, pkceCodeVerifier: client.randomPKCECodeVerifier() }
    await assert.rejects(client.authorizationCodeGrant(config, back, wrong), { error: 'invalid_grant' })
  },
  async 'plain PKCE is answered with an error that the client takes for ours'() {
    const { url, expected } = await attempt({ code_challenge_method: 'plain' })
    const back = await visitForRedirect(url)
    await assert.rejects(client.authorizationCodeGrant(config, back, expected), { error: 'invalid_request' })
  },
  async 'prompt none without a session is login_required'() {
    const { url, expected } = await attempt({ prompt: 'none' })
    const back = await visitForRedirect(url, { loggedIn: false })
    await assert.rejects(client.authorizationCodeGrant(config, back, expected), { error: 'login_required' })
  },
  async 'a request object is refused with its own error'() {
    const { url, expected } = await attempt({ request: 'e30.e30.' })
    const back = await visitForRedirect(url)
    await assert.rejects(client.authorizationCodeGrant(config, back, expected), { error: 'request_not_supported' })
  },
  async 'a long state and a very long nonce come back'() {
    const { url, expected } = await attempt({ state: 's'.repeat(4000), nonce: 'n'.repeat(1500) })
    const back = await visitForRedirect(url)
    const long = { ...expected, expectedState: 's'.repeat(4000), expectedNonce: 'n'.repeat(1500) }
    await client.authorizationCodeGrant(config, back, long)
  },
  // Last: it ends the session that the other checks use.
  async 'logging out returns to the client and ends its tokens'() {
    const { tokens } = await tokensBy()
    const url = client.buildEndSessionUrl(config, {
      id_token_hint: tokens.id_token,
      post_logout_redirect_uri: facts.post_logout_redirect_uri,
      state: 'after',
    })
    const back = await visitForRedirect(url)
    assert.equal(back.href, `${facts.post_logout_redirect_uri}?state=after`)
    await assert.rejects(client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub), { status: 401 })
  },
})
