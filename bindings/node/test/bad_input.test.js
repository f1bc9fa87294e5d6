'use strict';
// Wrong arguments give an error of JavaScript's, whatever they are, and never end the process.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const holdfast = require('holdfast');
const { native } = require('../lib/native.js');
const { quickNetwork } = require('./world.js');

const nonsense = [
  undefined, null, true, 0, -1, 1.5, NaN, Infinity, 2 ** 64, -1n, 2n ** 64n, '', 'x', 'a\0b', Symbol('s'),
  {}, [], [null], () => {}, Buffer.alloc(0), Buffer.alloc(31), Buffer.alloc(33), new Uint16Array(16),
  new ArrayBuffer(32), new Date(), Object.create(null),
];

test('every function of the add-on takes nonsense in every place', async () => {
  const promises = [];
  const skip = new Set(['useErrorClass', 'end', 'library', 'stopFlag', 'signerGenerate']);
  let calls = 0;
  for (const [name, call] of Object.entries(native)) {
    if (skip.has(name)) continue;
    for (const value of nonsense) {
      for (const places of [1, 3, 7]) {
        ++calls;
        try {
          const out = call(...Array(places).fill(value));
          if (out instanceof Promise) {
            promises.push(out.then(
              () => assert.ok(true),
              (error) => assert.ok(error instanceof Error, `${name}: ${error}`)));
          }
        } catch (error) {
          assert.ok(error instanceof Error, `${name}: ${String(error)}`);
        }
      }
    }
  }
  await Promise.all(promises);
  assert.ok(calls > 5_000);
});

test('the right handle and nonsense beside it', async () => {
  const network = quickNetwork();
  const verifier = holdfast.Verifier.create(network);
  const raws = { network: native.networkFromObject(network.toObject()), signer: native.signerGenerate() };
  raws.verifier = native.verifierNew(raws.network);
  raws.chain = native.blockchain(() => {});
  for (const [name, call] of Object.entries(native)) {
    for (const handle of Object.values(raws)) {
      for (const value of nonsense) {
        if (['close', 'end', 'useErrorClass'].includes(name)) continue;
        try {
          const out = call(handle, ...Array(6).fill(value));
          if (out instanceof Promise) await out.catch((error) => assert.ok(error instanceof Error));
        } catch (error) {
          assert.ok(error instanceof Error, `${name}: ${String(error)}`);
        }
      }
    }
  }
  for (const value of nonsense) {
    if (Buffer.isBuffer(value)) {
      assert.equal(verifier.verifySync(value).accepted, false);
      assert.equal((await verifier.verify(value)).accepted, false);
    } else {
      assert.throws(() => verifier.verifySync(value), TypeError);
      await assert.rejects(verifier.verify(value), TypeError);
    }
    assert.throws(() => holdfast.Verifier.create(value), TypeError);
    await assert.rejects(holdfast.Prover.open(value, value, value), TypeError);
    await assert.rejects(holdfast.seal(network, value, value, value), Error);
    await assert.rejects(holdfast.Aggregator.open(network, { chain: value }), TypeError);
  }
});

test('no random bytes are accepted as any object, and none harm', () => {
  const verifier = holdfast.Verifier.create(quickNetwork());
  let state = 1;
  const random = () => (state = (state * 1103515245 + 12345) & 0x7fffffff);
  for (let i = 0; i < 3_000; ++i) {
    const object = Buffer.from(Array.from({ length: random() % 400 }, () => random() >> 8 & 255));
    if (object.length >= 2) {
      object[0] = 1;
      object[1] = random() % 30;
      if (object[1] === 3) continue;  // seal proofs are not verified on the event loop
    }
    try {
      const report = verifier.verifySync(object);
      assert.equal(report.accepted, false);
      assert.ok(holdfast.reasons.some((reason) => reason.name === report.reason));
    } catch (error) {
      assert.ok(error instanceof holdfast.HoldfastError, String(error));
    }
  }
});

test('errors are typed and say what was wanted', async () => {
  const network = quickNetwork();
  const verifier = holdfast.Verifier.create(network);
  assert.throws(() => verifier.verifySync('text'), { name: 'TypeError', message: /object: a Buffer/ });
  assert.throws(() => network.compactHeight(-1), { name: 'RangeError', message: /height/ });
  assert.throws(() => network.compactHeight(2n ** 64n), { name: 'RangeError' });
  assert.equal(network.compactHeight(2n ** 53n) > 2n ** 53n, true);
  await assert.rejects(holdfast.Network.load('/nowhere/at/all'),
    { name: 'HoldfastError', code: 'not-found', reason: null });
  assert.throws(() => holdfast.Network.fromObject(network.toObject().subarray(0, -1)), (error) => {
    assert.ok(error instanceof holdfast.HoldfastError);
    assert.deepEqual([error.code, error.reason], ['refused', 'truncated']);
    assert.match(error.message, /truncated/);
    return true;
  });
  assert.throws(() => holdfast.Network.fromPreset('dev', { block_ms: 'x' }), { code: 'invalid-argument' });
  assert.throws(() => holdfast.Network.fromPreset('none'), { code: 'not-found' });
  assert.throws(() => new holdfast.Network(), TypeError);
});

test('a closed handle is told apart from a wrong one', async () => {
  const network = quickNetwork();
  await network.close();
  await network.close();
  assert.throws(() => network.id, { name: 'HoldfastError', code: 'wrong-handle' });
});

test('the library says what it is', () => {
  assert.equal(holdfast.version, require('../package.json').version);
  assert.equal(holdfast.abiVersion, 1);
  assert.ok(holdfast.reasons.length > 80);
  for (const { name, meaning, action } of holdfast.reasons) assert.ok(name && meaning && action);
  assert.equal(holdfast.hasFeature('verifier'), true);
  assert.equal(holdfast.hasFeature('no such thing'), false);
});
