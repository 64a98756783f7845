// oidc-provider, a certified provider, with the same client: what the checks say about it shows what the checks are worth.
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { Provider } from 'oidc-provider'

const facts = JSON.parse(await text(process.stdin))
const issuer = `http://localhost:${facts.port}`
const { d, ...publicJwk } = facts.private_jwk
const serverKeys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
const { key_ops, ext, ...serverJwk } = await crypto.subtle.exportKey('jwk', serverKeys.privateKey)

const told = {
  name: facts.name,
  'urn:zorgid:uzi_number': facts.uzi_number,
  'urn:zorgid:organisation': { ura: facts.ura, guest: false },
}

const provider = new Provider(issuer, {
  clients: [{
    client_id: facts.client_id,
    redirect_uris: [facts.redirect_uri],
    post_logout_redirect_uris: [facts.post_logout_redirect_uri],
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: 'ES256',
    id_token_signed_response_alg: 'ES256',
    jwks: { keys: [publicJwk] },
    require_auth_time: true,
    default_acr_values: [],
  }],
  jwks: { keys: [{ ...serverJwk, kid: 'reference', alg: 'ES256', use: 'sig' }] },
  cookies: { keys: ['a key of the tests'] },
  claims: { openid: ['sub', ...Object.keys(told)], acr: null, auth_time: null, sid: null, iss: null },
  scopes: ['openid', 'profile'],
  acrValues: ['http://eidas.europa.eu/LoA/high'],
  pkce: { required: () => true },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub, ...told }) }),
})

async function consentTo(interaction) {
  const { params, grantId, session } = interaction
  const grant = grantId
    ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId: session.accountId, clientId: params.client_id })
  grant.addOIDCScope(params.scope)
  grant.addOIDCClaims(Object.keys(told))
  return { consent: { grantId: await grant.save() } }
}

const answer = provider.callback()
const server = createServer(async (request, response) => {
  if (!request.url.startsWith('/interaction/')) return answer(request, response)
  const interaction = await provider.interactionDetails(request, response)
  const login = { login: { accountId: 'the-person', acr: 'http://eidas.europa.eu/LoA/high' } }
  const result = interaction.prompt.name === 'login' ? login : await consentTo(interaction)
  return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true })
})
server.listen(facts.port, '127.0.0.1', () => console.log('ready'))
