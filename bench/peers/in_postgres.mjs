// The state of oidc-provider in PostgreSQL: one table, one prepared statement and one durable commit for each act.
import pg from 'pg'

const TABLE = `
  create table provider_state (
    model text, id text, payload jsonb not null, grant_id text, uid text, user_code text,
    expires_at timestamptz, consumed_at timestamptz, primary key (model, id)
  );
  create index on provider_state (grant_id) where grant_id is not null;
  create index on provider_state (model, uid) where uid is not null;
  create index on provider_state (model, user_code) where user_code is not null;
`
const ROWS = 'select payload, consumed_at from provider_state where model = $1'
const LIVES = '(expires_at is null or expires_at > now())'
const STATEMENTS = {
  upsert: `
    insert into provider_state (model, id, payload, grant_id, uid, user_code, expires_at)
    values ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7))
    on conflict (model, id) do update set payload = excluded.payload, grant_id = excluded.grant_id,
      uid = excluded.uid, user_code = excluded.user_code, expires_at = excluded.expires_at`,
  byId: `${ROWS} and id = $2 and ${LIVES}`,
  byUid: `${ROWS} and uid = $2 and ${LIVES}`,
  byUserCode: `${ROWS} and user_code = $2 and ${LIVES}`,
  consume: 'update provider_state set consumed_at = now() where model = $1 and id = $2',
  destroy: 'delete from provider_state where model = $1 and id = $2',
  revoke: 'delete from provider_state where model = $1 and grant_id = $2',
}

export async function inPostgres(address) {
  const pool = new pg.Pool({ connectionString: address, max: 10 })
  await pool.query(TABLE)

  async function run(name, ...values) {
    return (await pool.query({ name, text: STATEMENTS[name], values })).rows
  }

  async function find(name, model, key) {
    const [row] = await run(name, model, key)
    if (!row) return undefined
    return row.consumed_at ? { ...row.payload, consumed: Math.floor(row.consumed_at / 1000) } : row.payload
  }

  return class Adapter {
    constructor(model) { this.model = model }
    upsert(id, payload, expiresIn) {
      const { grantId, uid, userCode } = payload
      return run('upsert', this.model, id, payload, grantId, uid, userCode, expiresIn)
    }
    find(id) { return find('byId', this.model, id) }
    findByUid(uid) { return find('byUid', this.model, uid) }
    findByUserCode(userCode) { return find('byUserCode', this.model, userCode) }
    consume(id) { return run('consume', this.model, id) }
    destroy(id) { return run('destroy', this.model, id) }
    revokeByGrantId(grantId) { return run('revoke', this.model, grantId) }
  }
}
