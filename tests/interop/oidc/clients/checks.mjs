// Runs named checks one after the other and reports each as one line of JSON; the facts come on standard input.
import { text } from 'node:stream/consumers'
import assert from 'node:assert/strict'

export const facts = JSON.parse(await text(process.stdin))

export async function run(checks) {
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check()
      console.log(JSON.stringify({ name, passed: true }))
    } catch (error) {
      console.log(JSON.stringify({ name, passed: false, why: `${error?.stack ?? error} ${JSON.stringify(error?.cause ?? null)}` }))
    }
  }
}

// The private key of the client, as its library wants it.
export async function privateKey() {
  const { kid, ...jwk } = facts.private_jwk
  const key = await crypto.subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])
  return { key, kid }
}

// Goes where a browser would go, through the pages of the server itself, until it answers or sends the browser away.
// The person is logged in when the cookie is sent along; the reference provider logs in whoever comes.
export async function visit(url, { loggedIn = true } = {}) {
  const jar = new Map(loggedIn && facts.cookie ? [facts.cookie.split('=')] : [])
  for (let hop = 0, next = new URL(url); ; hop += 1) {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(next, { redirect: 'manual', headers: cookie ? { cookie } : {} })
    for (const set of response.headers.getSetCookie()) {
      const [, name, value] = set.match(/^([^=]+)=([^;]*)/)
      jar.set(name, value)
    }
    const location = response.headers.get('location')
    const target = location && new URL(location, next)
    if (!target || target.origin !== next.origin || hop > 10) return response
    next = target
  }
}

export async function visitForRedirect(url, options) {
  const response = await visit(url, options)
  assert.equal(response.status, 303, await response.text())
  return new URL(response.headers.get('location'))
}

// Presses the button of the page that posts, and returns the request that the relying party would get.
export async function visitForForm(url) {
  const response = await visit(url)
  assert.equal(response.status, 200)
  const page = await response.text()
  const named = { quot: '"', apos: "'", lt: '<', gt: '>', amp: '&' }
  const unescaped = (value) => value.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (_, hex, decimal, name) =>
    named[name] ?? String.fromCodePoint(hex ? parseInt(hex, 16) : Number(decimal)))
  const fields = [...page.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"\s*\/?>/g)]
  const body = new URLSearchParams(fields.map(([, name, value]) => [unescaped(name), unescaped(value)]))
  const [, action] = page.match(/<form method="post" action="([^"]*)">/)
  return new Request(unescaped(action), { method: 'POST', body })
}
