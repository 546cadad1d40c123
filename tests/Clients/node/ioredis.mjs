// What does ioredis see? Usage: node ioredis.mjs PORT. Prints what it gets; the same on every Redis.
import Redis from 'ioredis';

const port = Number(process.argv[2]);
const say = (what, value) => console.log(what + ' ' + JSON.stringify(value, (_, v) => (v instanceof Error ? 'error ' + v.message : v)));
const open = (options) => new Redis({ port, host: '127.0.0.1', retryStrategy: () => 50, ...options });

const client = open();
await client.flushall();
say('ping', await client.ping());
say('set', await client.set('k', 'v'.repeat(70000)));
say('length', (await client.get('k')).length);

const pipeline = client.pipeline();
for (let i = 0; i < 5000; i++) pipeline.incr('n').get('k' + (i % 3));
const piped = await pipeline.exec();
say('pipeline', [piped.length, piped[9998], piped.filter((r) => r[0]).length]);

say('multi', await client.multi().set('t', '1').incr('t').get('t').exec());
await client.watch('t');
await open().set('t', 'changed by another');
say('watched', await client.multi().get('t').exec());
try { await client.multi().set('t', '1').call('nosuch').exec(); } catch (e) { say('aborted', e.message); }

const subscriber = open();
const got = [];
const all = new Promise((done) => subscriber.on('message', (channel, message) => { if (got.push([channel, message]) === 1000) done(); }));
await subscriber.subscribe('news', 'weather');
for (let i = 0; i < 1000; i++) client.publish(i % 2 ? 'news' : 'weather', String(i));
await all;
say('messages', [got.length, got[0], got[999]]);
say('unsubscribe', await subscriber.unsubscribe('news', 'weather'));

const waiting = open();
const popped = waiting.blpop('queue', 5);
await client.rpush('queue', 'work');
say('blocking', await popped);
say('timeout', await waiting.blpop('queue', 0.05));

client.defineCommand('twice', { numberOfKeys: 1, lua: "return {redis.call('get', KEYS[1]), ARGV[1] * 2}" });
say('script', await client.twice('n', '21'));
say('script', await client.twice('n', '22'));
try { await client.eval("return redis.error_reply('MY own')", 0); } catch (e) { say('script error', e.message); }
say('select', [await client.select(3), await client.set('in3', '1'), await client.dbsize()]);

const victim = open({ maxRetriesPerRequest: 20 });
const id = await victim.client('ID');
const again = new Promise((done) => victim.once('close', () => victim.once('ready', done)));
say('killed', await client.client('KILL', 'ID', id));
await again;
say('reconnected', [await victim.ping(), (await victim.client('ID')) !== id]);
say('subscribed again', await (async () => {
    const reader = open();
    await reader.subscribe('later');
    const back = new Promise((done) => reader.once('close', () => reader.once('ready', done)));
    await client.client('KILL', 'TYPE', 'pubsub');
    await back;
    const message = new Promise((done) => reader.on('message', (_, text) => done(text)));
    while ((await client.publish('later', 'still')) !== 1) await new Promise((done) => setTimeout(done, 10));
    return message;
})());
say('quit', await client.quit());
process.exit(0);
