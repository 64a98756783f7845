// oidc-provider as an operator would run it: private_key_jwt and PKCE, its state in PostgreSQL or in memory.
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { Provider } from 'oidc-provider'
import { inMemory } from './in_memory.mjs'
import { inPostgres } from './in_postgres.mjs'

const facts = JSON.parse(await text(process.stdin))
const issuer = `http://localhost:${facts.port}`
const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
const { key_ops, ext, ...ownJwk } = await crypto.subtle.exportKey('jwk', keys.privateKey)
const told = { name: 'A.B. de Vries-Öztürk', 'urn:zorgid:uzi_number': '900012345', 'urn:zorgid:ura': '90001234' }

const provider = new Provider(issuer, {
  adapter: facts.database ? await inPostgres(facts.database) : inMemory(),
  clients: facts.clients.map(({ id, redirect_uri, public_jwk }) => ({
    client_id: id,
    redirect_uris: [redirect_uri],
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: 'ES256',
    id_token_signed_response_alg: 'ES256',
    jwks: { keys: [public_jwk] },
  })),
  jwks: { keys: [{ ...ownJwk, kid: 'peer', alg: 'ES256', use: 'sig' }] },
  cookies: { keys: ['a key of the bench'] },
  claims: { openid: ['sub', ...Object.keys(told)], acr: null, auth_time: null, sid: null, iss: null },
  scopes: ['openid'],
  acrValues: ['http://eidas.europa.eu/LoA/high'],
  pkce: { required: () => true },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_context, sub) => ({ accountId: sub, claims: () => ({ sub, ...told }) }),
})

let people = 0

async function consentTo({ params, grantId, session }) {
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
  const login = { login: { accountId: `person-${people += 1}`, acr: 'http://eidas.europa.eu/LoA/high' } }
  const result = interaction.prompt.name === 'login' ? login : await consentTo(interaction)
  return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true })
})
server.keepAliveTimeout = 120_000
server.listen(facts.port, '127.0.0.1')
