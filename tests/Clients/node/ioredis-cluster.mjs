// ioredis' cluster client: writes and reads keys of all slots until told to end; then every key must be there.
// node ioredis-cluster.mjs PORT; prints "begun", on a line of input ends, and prints what went wrong.
import { Cluster } from 'ioredis'
import { createInterface } from 'node:readline'

const cluster = new Cluster([{ host: '127.0.0.1', port: Number(process.argv[2]) }], { slotsRefreshTimeout: 5000 })
cluster.on('error', () => {})
const keys = Array.from({ length: 300 }, (_, n) => `node:${n}`)
let wrong = 0, failed = 0, answers = 0, ended = false

createInterface({ input: process.stdin }).once('line', () => { ended = true })
await Promise.all(keys.map(key => cluster.set(key, key)))
console.log('begun')
while (!ended) {
  const some = keys.filter(() => Math.random() < 0.2)
  await Promise.all(some.map(async key => {
    try {
      await cluster.set(key, key)
      if (await cluster.get(key) !== key) wrong++
      answers++
    } catch { failed++ }
  }))
}

for (const key of keys) if (await cluster.get(key) !== key) wrong++
const tagged = await cluster.pipeline().set('{t}a', '1').incr('{t}a').get('{t}a').exec()
if (tagged[2][1] !== '2') wrong++
console.log(`wrong ${wrong} failed ${failed} answers ${answers > 100}`)
console.log('nodes ' + cluster.nodes('all').map(node => `${node.options.host}:${node.options.port}`).join(' '))
await cluster.quit()
process.exit(0) // its timers would keep it alive
