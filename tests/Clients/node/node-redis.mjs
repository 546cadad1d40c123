// What does node-redis see, in RESP2 and RESP3? Usage: node node-redis.mjs PORT. Prints what it gets; the same on every Redis.
import { createClient } from 'redis';

const port = Number(process.argv[2]);
const say = (what, value) => console.log(what + ' ' + JSON.stringify(value, (_, v) => (v instanceof Error ? 'error ' + v.message : v)));
const open = async (RESP) => {
    const client = createClient({ RESP, socket: { port, host: '127.0.0.1', reconnectStrategy: () => 50 } });
    client.on('error', () => {});
    return client.connect();
};

for (const version of [2, 3]) {
    const client = await open(version);
    await client.flushAll();
    say('RESP', version);
    say('ping', await client.ping());
    say('set', await client.set('k', 'v'.repeat(70000)));
    say('length', (await client.get('k')).length);
    await client.hSet('h', { a: '1', b: '2' });
    say('hash', await client.hGetAll('h'));
    say('scores', [await client.zAdd('z', { score: 1.5, value: 'x' }), await client.zScore('z', 'x')]);

    const many = await Promise.all(Array.from({ length: 5000 }, () => client.incr('n')));
    say('pipeline', [many.length, many[4999]]);
    say('multi', await client.multi().set('t', '1').incr('t').get('t').exec());

    const subscriber = await open(version);
    const got = [];
    const all = new Promise((done) => subscriber.subscribe(['news', 'weather'], (message) => { if (got.push(message) === 1000) done(); }).then(() => {
        for (let i = 0; i < 1000; i++) client.publish(i % 2 ? 'news' : 'weather', String(i));
    }));
    await all;
    say('messages', [got.length, got[0], got[999]]);
    await subscriber.unsubscribe();

    const waiting = await open(version);
    const popped = waiting.blPop('queue', 5);
    await client.rPush('queue', 'work');
    say('blocking', await popped);
    say('timeout', await waiting.blPop('queue', 0.05));
    say('script', await client.eval("return {redis.call('get', KEYS[1]), ARGV[1] * 2}", { keys: ['n'], arguments: ['21'] }));
    try { await client.eval("return redis.error_reply('MY own')"); } catch (e) { say('script error', e.message); }

    const victim = await open(version);
    const id = await victim.sendCommand(['CLIENT', 'ID']);
    const again = new Promise((done) => victim.once('ready', done));
    say('killed', await client.sendCommand(['CLIENT', 'KILL', 'ID', String(id)]));
    await again;
    say('reconnected', [await victim.ping(), (await victim.sendCommand(['CLIENT', 'ID'])) !== id]);
    say('quit', await client.sendCommand(['QUIT']));
}
process.exit(0);
