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

// Goes where a browser would go; the person is logged in when the cookie is sent along.
export async function visit(url, { loggedIn = true } = {}) {
  return fetch(url, { redirect: 'manual', headers: loggedIn ? { cookie: facts.cookie } : {} })
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
  const unescaped = (value) => value.replace(/&#34;/g, '"').replace(/&#39;/g, "'").replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&')
  const fields = [...page.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)]
  const body = new URLSearchParams(fields.map(([, name, value]) => [unescaped(name), unescaped(value)]))
  const [, action] = page.match(/<form method="post" action="([^"]*)">/)
  return new Request(unescaped(action), { method: 'POST', body })
}
