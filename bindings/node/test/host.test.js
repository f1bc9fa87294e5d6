'use strict';
// Hosts that throw, hang, lie, or answer late; calls that are stopped; an event loop that is busy.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { Worker } = require('node:worker_threads');
const holdfast = require('holdfast');
const { MemoryChain, quickNetwork, temporaryFolder } = require('./world.js');

const never = () => new Promise(() => {});

function clockOn(t, methods, options) {
  const network = quickNetwork();
  const chain = new MemoryChain({ finality: 2, blockMs: 1_000 });
  for (let i = 0; i < 4; ++i) chain.newBlock();
  for (const [name, method] of Object.entries(methods)) chain[name] = method;
  return holdfast.Clock.open(network, {
    chain: holdfast.Blockchain.from(chain, options), evaluator: holdfast.Signer.generate(),
    folder: path.join(temporaryFolder(t), 'vdf'),
  });
}

const at1 = async (t, methods, options) => {
  const clock = await clockOn(t, methods, options);
  try {
    return await clock.at(1);
  } finally {
    await clock.close();
  }
};

test('a good host, and the same y from everybody', async (t) => {
  const one = await at1(t, {});
  const other = await at1(t, {});
  assert.deepEqual(one.y, other.y);
  assert.equal(one.height, 1n);
});

test('a callback that throws, rejects, or answers nonsense is unavailable, and says so', async (t) => {
  const cases = [
    [() => { throw new Error('disk on fire'); }, /disk on fire/],
    [async () => { throw 'a string'; }, /a string/],
    [() => ({}), /height|hash/],
    [() => 7, /object/],
    [() => ({ height: 1, hash: Buffer.alloc(3), parent: Buffer.alloc(32), timeMs: 1, final: true }), /32 bytes/],
    [() => ({ get hash() { throw new Error('a getter'); } }), /could not be read/],
    [(height) => ({ height: height + 1n, hash: Buffer.alloc(32), parent: Buffer.alloc(32), timeMs: 1n, final: true }), /./],
  ];
  for (const [blockByHeight, text] of cases) {
    await assert.rejects(at1(t, { blockByHeight }), (error) => {
      assert.ok(error instanceof holdfast.HoldfastError);
      assert.equal(error.code, 'unavailable');
      assert.match(error.message, text);
      return true;
    });
  }
});

test('a host that has no such block', async (t) => {
  await assert.rejects(at1(t, { blockByHeight: () => null }), holdfast.HoldfastError);
  const missing = new holdfast.HoldfastError('pruned', 'not-found');
  await assert.rejects(at1(t, { blockByHeight: () => { throw missing; } }), holdfast.HoldfastError);
});

test('a callback that never answers is a time-out', async (t) => {
  const start = Date.now();
  await assert.rejects(at1(t, { blockByHeight: never }, { timeoutMs: 200 }),
    (error) => error instanceof holdfast.HoldfastError && ['timeout', 'unavailable'].includes(error.code));
  assert.ok(Date.now() - start < 5_000);
});

test('no deadlock while the event loop is busy, and in callbacks that use the library', async (t) => {
  let calls = 0;
  const chain = new MemoryChain({ finality: 2, blockMs: 1_000 });
  for (let i = 0; i < 4; ++i) chain.newBlock();
  const network = quickNetwork();
  const promise = at1(t, {
    async blockByHeight(height) {
      ++calls;
      const signer = holdfast.Signer.generate();
      await signer.sign(Buffer.from('inside a callback'));
      await fs.promises.readFile(__filename);
      await network.save(path.join(temporaryFolder(t), 'network.params'));
      return chain.blockByHeight(height);
    },
  });
  const until = Date.now() + 300;
  while (Date.now() < until);  // nothing of JavaScript's can answer meanwhile
  assert.equal((await promise).height, 1n);
  assert.ok(calls >= 1);
});

test('many clocks at once, each waiting for JavaScript', async (t) => {
  const all = await Promise.all(Array.from({ length: 12 }, () => at1(t, {})));
  for (const each of all) assert.deepEqual(each.y, all[0].y);
});

test('a host that lacks a method is refused at once', () => {
  assert.throws(() => holdfast.Blockchain.from({}), { name: 'TypeError', message: /currentHeight/ });
  for (const Class of [holdfast.Blockchain, holdfast.Token, holdfast.Beacon, holdfast.Peers]) {
    for (const value of [undefined, null, 1, 'x', {}]) assert.throws(() => Class.from(value), TypeError);
  }
});

test('a signer of the host\'s own, true, false, short, silent', async () => {
  const inner = holdfast.Signer.generate();
  const honest = (message) => inner.sign(message);
  let sign = honest;
  const host = { publicKey: () => inner.publicKey, sign: (message) => sign(message) };
  const signer = await holdfast.Signer.from(host, { timeoutMs: 500 });
  const message = Buffer.alloc(32, 7);
  assert.deepEqual(await signer.sign(message), await inner.sign(message));
  assert.deepEqual(signer.publicKey, inner.publicKey);
  await assert.rejects(signer.save('/tmp/never'), { code: 'unsupported' });

  const bad = [
    [() => Buffer.alloc(64), /no signature/],
    [() => Buffer.alloc(63), /64 bytes/],
    [() => 'text', /Buffer/],
    [() => { throw new Error('the card is out'); }, /the card is out/],
  ];
  for (const [answer, text] of bad) {
    sign = answer;
    await assert.rejects(signer.sign(message), { name: 'HoldfastError', code: 'unavailable', message: text });
  }
  sign = never;
  await assert.rejects(signer.sign(message), { code: 'timeout' });
  sign = honest;
  assert.deepEqual(await signer.sign(message), await inner.sign(message));

  await assert.rejects(holdfast.Signer.from({ ...host, publicKey: () => { throw new Error('locked'); } }),
    { code: 'unavailable', message: /locked/ });
});

test('long work is stopped by an AbortSignal, and tells how far it is', async (t) => {
  const folder = temporaryFolder(t);
  const source = path.join(folder, 'data');
  fs.writeFileSync(source, Buffer.alloc(24 << 20, 'x'));
  const network = quickNetwork();
  const key = holdfast.Signer.generate().publicKey;
  const replica = path.join(folder, 'a.replica');

  const early = AbortSignal.abort(new Error('changed my mind'));
  await assert.rejects(holdfast.seal(network, key, source, replica, { signal: early }),
    (error) => error.code === 'interrupted' && error.cause.message === 'changed my mind');

  const stop = new AbortController();
  const seen = [];
  const progress = (news) => {
    seen.push(news);
    if (news.stage.startsWith('seal') && news.done > 0n) stop.abort();
  };
  await assert.rejects(holdfast.seal(network, key, source, replica, { signal: stop.signal, progress }),
    (error) => error.code === 'interrupted' && error.cause === stop.signal.reason);
  assert.ok(seen.length > 0);
  assert.equal(typeof seen[0].total, 'bigint');
  assert.equal(fs.existsSync(replica), false);

  await assert.rejects(
    holdfast.seal(network, key, source, replica, { progress: () => { throw new RangeError('mine'); } }),
    { name: 'RangeError', message: 'mine' });
  for (const wrong of [{ signal: {} }, { progress: 1 }, 7]) {
    await assert.rejects(holdfast.seal(network, key, source, replica, wrong), TypeError);
  }
  // A repeated call goes on, and ends whole.
  const info = await holdfast.seal(network, key, source, replica);
  assert.equal(info.dataBytes, BigInt(24 << 20));
  const end = await holdfast.unsealRange(network, replica, (24 << 20) - 1_000, 1_000);
  assert.deepEqual(end, Buffer.alloc(1_000, 'x'));
});

test('shards: any k of n restore the file', async (t) => {
  const folder = temporaryFolder(t);
  const source = path.join(folder, 'data');
  const data = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i * 31 % 251));
  fs.writeFileSync(source, data);
  const paths = [0, 1, 2, 3, 4].map((i) => path.join(folder, `shard${i}`));
  const manifest = await holdfast.shards.encode(source, 3, 2, paths);
  fs.rmSync(paths[0]);
  await holdfast.shards.rebuild(manifest, paths.slice(1), 0, path.join(folder, 'again'));
  fs.rmSync(paths[1]);
  await holdfast.shards.decode(manifest, paths.slice(2), path.join(folder, 'back'));
  assert.deepEqual(fs.readFileSync(path.join(folder, 'back')), data);
  await assert.rejects(holdfast.shards.decode(manifest, paths.slice(3), path.join(folder, 'no')),
    { code: 'unavailable' });
});

test('y: evaluated, verified, and not believed when it is false', async () => {
  const network = quickNetwork();
  const vdf = await holdfast.Vdf.create(network);
  const input = holdfast.Vdf.input(network, 1, Buffer.alloc(32, 1));
  assert.equal(holdfast.Vdf.epochSource(network, 1), null);
  const { proof, y } = await vdf.evaluate(holdfast.Signer.generate(), { height: 1, input });
  const good = await vdf.verify(proof, { height: 1, input });
  assert.deepEqual([good.verdict.accepted, good.y], [true, y]);
  const bad = await vdf.verify(proof, { height: 2, input });
  assert.deepEqual([bad.verdict.accepted, bad.y], [false, null]);
  await vdf.close();
});

test('process.exit in the middle of a call ends the process, and does not crash it', async (t) => {
  const folder = temporaryFolder(t);
  fs.writeFileSync(path.join(folder, 'data'), Buffer.alloc(32 << 20, 'x'));
  const program = `
    const { Network, Signer, seal } = require(${JSON.stringify(path.join(__dirname, '..'))});
    seal(Network.fromPreset('dev'), Signer.generate().publicKey, 'data', process.argv[1] + '.replica');
    setTimeout(() => process.exit(7), Number(process.argv[1]));
  `;
  for (const delay of [0, 5, 20, 60, 150]) {  // from before the first byte is hashed to sealing
    const { status, signal } = spawnSync(process.execPath, ['-e', program, String(delay)], { cwd: folder });
    assert.deepEqual([status, signal], [7, null], `after ${delay} ms`);
  }
});

test('workers have the library for themselves and may end in the middle of a call', async () => {
  for (let i = 0; i < 3; ++i) {
    const worker = new Worker(`
      const holdfast = require(${JSON.stringify(path.join(__dirname, '..'))});
      const hang = { ...Object.fromEntries(['currentHeight', 'blockByHeight', 'submit', 'submissionsAt',
        'bondEventsAt'].map((name) => [name, () => new Promise(() => {})])) };
      holdfast.Signer.from({ publicKey: () => new Promise(() => {}), sign: () => {} });
      holdfast.Blockchain.from(hang);
      holdfast.Signer.generate().sign(Buffer.alloc(32)).then(() => {
        require('node:worker_threads').parentPort.postMessage('ready');
      });
    `, { eval: true });
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    await worker.terminate();
  }
});
