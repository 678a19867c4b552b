// Measures session-file-store of Node, as src/bin/files.rs measures stores.

const assert = require('node:assert')
const { execFileSync } = require('node:child_process')
const { randomBytes } = require('node:crypto')
const fs = require('node:fs')
const { promisify } = require('node:util')
const FileStore = require('session-file-store')(require('express-session'))

const NAME = `session-file-store, Node ${process.versions.node.split('.')[0]}`
const WARM_UP = 4
const DAY = 24 * 60 * 60 * 1000

async function main([values, what, ...rest]) {
  const [dir, ...counts] = what === 'calls' ? rest.slice(2) : rest
  const store = new FileStore({ path: dir, reapInterval: -1, retries: 0, logFn: () => {} })
  const sessions = { get: promisify(store.get.bind(store)), set: promisify(store.set.bind(store)) }
  const numbers = counts.map(Number)
  if (what === 'operations') await operations(sessions, JSON.parse(values), ...numbers)
  else if (what === 'sweep') await sweep(sessions, store.options, JSON.parse(values), dir, ...numbers)
  else {
    assert.equal(rest[0], NAME)
    await calls(sessions, rest[1], JSON.parse(values), ...numbers)
  }
}

async function create(sessions, values, maxAge) {
  const id = randomBytes(16).toString('hex')
  await sessions.set(id, { cookie: { originalMaxAge: maxAge }, ...values })
  return id
}

async function change(sessions, id) {
  const session = await sessions.get(id)
  session.visits += 1
  await sessions.set(id, session)
}

async function run(sessions, operation, values, ids, count) {
  for (let i = 0; i < count; i++) {
    if (operation === 'create') ids.push(await create(sessions, values, DAY))
    else if (operation === 'load') assert.equal((await sessions.get(ids[i])).visits, values.visits)
    else await change(sessions, ids[i])
  }
}

async function operations(sessions, values, batches, count) {
  for (let batch = 0; batch < WARM_UP + batches; batch++) {
    const ids = []
    for (const operation of ['create', 'load', 'load, change, save']) {
      const start = process.hrtime.bigint()
      await run(sessions, operation, values, ids, count)
      const each = (process.hrtime.bigint() - start) / BigInt(count)
      if (batch >= WARM_UP) console.log([NAME, operation, each].join('\t'))
      if (operation === 'create') execFileSync('sync')
    }
    for (const id of ids) assert.equal((await sessions.get(id)).visits, values.visits + 1, 'what was saved is there')
  }
}

// Does operations while another program watches the system calls of this process.
async function calls(sessions, operation, values, count) {
  const ids = []
  if (operation !== 'create') await run(sessions, 'create', values, ids, count)
  await change(sessions, await create(sessions, values, DAY))
  fs.existsSync('/begin')
  await run(sessions, operation, values, ids, count)
  fs.existsSync('/end')
}

async function sweep(sessions, options, values, dir, count) {
  for (let i = 0; i < count; i++) await create(sessions, values, i % 2 === 0 ? 1 : DAY)
  execFileSync('sync')
  const start = process.hrtime.bigint()
  await promisify(require('session-file-store/lib/session-file-helpers').reap)(options)
  // It reports the end as soon as it has looked at the last file, while it still removes others.
  while (fs.readdirSync(dir).length > count / 2) await new Promise((resolve) => setImmediate(resolve))
  console.log([NAME, 'sweep', process.hrtime.bigint() - start].join('\t'))
  assert.equal(fs.readdirSync(dir).length, count / 2, 'half of the sessions are left')
}

if (process.argv.length < 6) {
  console.error(`usage: files_node.js VALUES operations DIR BATCHES COUNT | files_node.js VALUES sweep DIR COUNT
     | files_node.js VALUES calls STORE OPERATION DIR COUNT`)
  process.exit(2)
}
main(process.argv.slice(2))
