// The state of oidc-provider in memory, without the bound of a thousand entries that its own has.
export function inMemory() {
  const kept = new Map()
  const byUid = new Map()
  const ofGrant = new Map()

  function alive(key) {
    const entry = kept.get(key)
    if (entry && entry.until > Date.now()) return entry.payload
    kept.delete(key)
    return undefined
  }

  return class Adapter {
    constructor(model) { this.model = model }
    key(id) { return `${this.model}:${id}` }
    async upsert(id, payload, expiresIn) {
      const key = this.key(id)
      kept.set(key, { payload, until: expiresIn ? Date.now() + expiresIn * 1000 : Infinity })
      if (payload.uid) byUid.set(this.key(payload.uid), key)
      if (payload.grantId) ofGrant.set(payload.grantId, [...(ofGrant.get(payload.grantId) ?? []).slice(-20), key])
    }
    async find(id) { return alive(this.key(id)) }
    async findByUid(uid) { return alive(byUid.get(this.key(uid))) }
    async findByUserCode() { return undefined }
    async consume(id) {
      const payload = alive(this.key(id))
      if (payload) payload.consumed = Math.floor(Date.now() / 1000)
    }
    async destroy(id) { kept.delete(this.key(id)) }
    async revokeByGrantId(grantId) {
      for (const key of ofGrant.get(grantId) ?? []) kept.delete(key)
      ofGrant.delete(grantId)
    }
  }
}
