// The package in Node.js: vectors, bad input, bounds, and the same signatures as OpenSSL.
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign, verify as opensslVerify } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import test from 'node:test';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { BUILD, networkFiles, pathOf, readVectors, standing } from './files.mjs';
import { runVectors } from './vectors.mjs';

const api = await import(new URL('package/index.js', BUILD));
const { Verifier, PublicRecord, Refusal, ArgumentError, HoldfastError } = api;
const files = await networkFiles(api);
const verifier = await Verifier.create(files['network.params']);
const record = new PublicRecord(verifier);
record.add(files['public.json'].toString());
const { height, chainId } = files.facts;
const known = { chain: record.knownChain(chainId, height), height: record.knownHeight(height) };

test('every vector of the verifiers holds', async () => {
  const result = await runVectors(api, readVectors);
  assert.deepEqual(result.failures, []);
  assert.ok(result.passed > 5000, `only ${result.passed} checks`);
  console.log(`vectors: ${result.passed} checks`);
});

test('the module stays under 400 KiB compressed', async () => {
  const wasm = await readFile(new URL('package/holdfast_verifier.wasm', BUILD));
  const gzip = gzipSync(wasm, { level: 9 }).length;
  const brotli = brotliCompressSync(wasm, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }).length;
  console.log(`size: ${wasm.length} bytes, gzip ${gzip}, brotli ${brotli}`);
  assert.ok(gzip < 400 * 1024);
});

test('a compact proof takes under 5 ms', () => {
  const times = [];
  for (let i = 0; i < 60; i++) {
    const start = process.hrtime.bigint();
    verifier.verify(files['compact.proof'], known);
    times.push(Number(process.hrtime.bigint() - start) / 1e6);
  }
  times.sort((a, b) => a - b);
  console.log(`compact proof: best ${times[0].toFixed(2)} ms, median ${times[30].toFixed(2)} ms`);
  // The best, since this machine may have other work.
  assert.ok(times[0] < 5);
});

test('every single-bit flip of a compact proof is refused with a reason', () => {
  const proof = Buffer.from(files['compact.proof']);
  for (let bit = 0; bit < 8 * proof.length; bit += 13) {
    proof[bit >> 3] ^= 1 << (bit & 7);
    assert.throws(() => verifier.verify(proof, known), (error) => error instanceof Refusal && /^[a-z0-9-]+$/.test(error.reason), `bit ${bit}`);
    proof[bit >> 3] ^= 1 << (bit & 7);
  }
  verifier.verify(proof, known);
});

test('bytes that are no object are refused, whatever they are', () => {
  let state = 1;
  const random = () => (state = (state * 1103515245 + 12345) & 0x7fffffff) >> 8;
  for (let i = 0; i < 2000; i++) {
    const bytes = Uint8Array.from({ length: random() % 400 }, random);
    if (i % 2 === 0) bytes.set([1, 1 + (i % 30)].slice(0, bytes.length));
    assert.throws(() => verifier.inspect(bytes.subarray(0, random() % 2)), Refusal);
    try {
      verifier.verify(bytes, known);
      assert.fail('accepted');
    } catch (error) {
      assert.ok(error instanceof HoldfastError, error);
      assert.notEqual(error.reason, 'internal', error.message);
    }
  }
});

test('arguments that make no sense are named', () => {
  const bad = [
    [{}, /known.chain/], [{ ...known, height: 7 }, /known.height/],
    [{ ...known, height: { ...known.height, blockHash: 'ab' } }, /blockHash should be 32 bytes/],
    [{ ...known, height: { ...known.height, height: -1 } }, /from 0 to/],
    [{ ...known, height: { ...known.height, height: 2 ** 60 } }, /BigInt/],
    [{ ...known, height: { ...known.height, anchor: undefined } }, /anchor/],
    [{ ...known, chain: { registration: 'zz' } }, /hexadecimal/],
    [{ ...known, chain: { registration: new Uint8Array(9) } }, /302 bytes/],
    [null, /known/],
  ];
  for (const [wrong, message] of bad) {
    assert.throws(() => verifier.verify(files['compact.proof'], wrong), (error) => error instanceof ArgumentError && error.reason === 'invalid-argument' && message.test(error.message));
  }
  for (const wrong of [undefined, null, 7, {}, 'abc', [1, 2]]) assert.throws(() => verifier.verify(wrong, known), ArgumentError);
});

test('a network that is none is refused', async () => {
  await assert.rejects(Verifier.create(new Uint8Array()), (error) => error.reason === 'truncated');
  await assert.rejects(Verifier.create(standing(19, '01')), (error) => error instanceof Refusal);
  await assert.rejects(Verifier.create(files['network.params'], { memoryLimit: 1 }), ArgumentError);
});

test('too much input is refused before it is looked at', () => {
  assert.throws(() => verifier.verify(new Uint8Array(17 << 20), known), (error) => error.reason === 'too-large');
  verifier.verify(files['compact.proof'], known);
});

test('a fill beyond the limit of memory is an error, and the next call works', () => {
  const spec = { lanes: 1, passes: 1, blocks: 1 << 17, password: 'aa'.repeat(8), salt: 'bb'.repeat(8) };
  assert.throws(() => verifier.fillTag(spec), (error) => error.reason === 'out-of-memory');
  assert.throws(() => verifier.fillTag({ ...spec, blocks: 3 }), (error) => error.reason === 'invalid-argument');
  verifier.verify(files['compact.proof'], known);
  assert.ok(verifier.memoryBytes <= 64 << 20);
});

test('memory that runs out in the middle of a call is an error, and the next call works', async () => {
  const small = await Verifier.create(files['network.params'], { memoryLimit: 4 << 20 });
  const members = 16384;
  const bundle = Buffer.alloc(2 + 32 + 8 + 32 + 4 + 64 * members + 64);
  bundle.set([1, 22]);
  bundle.set(Buffer.from(small.inspect(files['chain.registration']).prover, 'hex'), 2);
  bundle.writeBigUInt64LE(BigInt(height), 34);
  bundle.set(Buffer.from(known.height.anchor, 'hex'), 42);
  bundle.writeUInt32LE(members, 74);
  for (let i = 0; i < members; i++) bundle.writeUInt32BE(i, 78 + 64 * i);
  assert.throws(() => verifier.verify(bundle, known), (error) => error.reason === 'signature');
  // The C++ library ends the module here (a trap): the instance is thrown away.
  assert.throws(() => small.verify(bundle, known), (error) => error.reason === 'out-of-memory');
  assert.equal(small.memoryBytes, 0);
  small.verify(files['compact.proof'], known);
});

test('an instance that traps is thrown away and tells no verdict', async () => {
  const section = (id, ...bytes) => [id, bytes.length, ...bytes];
  const named = (text, kind, index) => [text.length, ...Buffer.from(text), kind, index];
  const body = (...code) => [code.length + 2, 0, ...code, 11];
  const module = await WebAssembly.compile(Uint8Array.from([
    0, 97, 115, 109, 1, 0, 0, 0,
    ...section(1, 3, 96, 0, 0, 96, 1, 127, 1, 127, 96, 0, 1, 127),
    ...section(2, 1, ...[3, 101, 110, 118], ...named('memory', 2, 0), 1),
    ...section(3, 5, 0, 1, 1, 2, 2),
    ...section(7, 5, ...named('_initialize', 0, 0), ...named('hf_input', 0, 1), ...named('hf_run', 0, 2),
      ...named('hf_output', 0, 3), ...named('hf_output_bytes', 0, 4)),
    ...section(10, 5, ...body(), ...body(65, 16), ...body(0), ...body(65, 0), ...body(65, 0)),
  ]));
  await assert.rejects(Verifier.create(files['network.params'], { module }), (error) =>
    error instanceof HoldfastError && !(error instanceof Refusal) && error.reason === 'internal');
});

test('signatures are judged as OpenSSL judges them', () => {
  let good = 0;
  for (let i = 0; i < 150; i++) {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const key = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
    const message = Buffer.alloc(i, i);
    const signature = sign(null, message, privateKey);
    if (i % 3 === 1) signature[i % 64] ^= 1 << (i % 8);
    if (i % 3 === 2 && message.length > 0) message[i % message.length] ^= 1;
    const wanted = opensslVerify(null, message, publicKey, signature);
    let got = true;
    try {
      verifier.verifySignature(key, message, signature);
    } catch (error) {
      assert.equal(error.reason, 'signature');
      got = false;
    }
    assert.equal(got, wanted, `case ${i}`);
    good += got;
  }
  assert.equal(good, 50);
});

test('exactly the keys on the curve are keys', () => {
  const p = 2n ** 255n - 19n;
  const power = (base, exponent) => {
    let out = 1n;
    for (let b = base % p, e = exponent; e > 0n; e >>= 1n, b = (b * b) % p) if (e & 1n) out = (out * b) % p;
    return out;
  };
  const d = (p - (121665n * power(121666n, p - 2n)) % p) % p;
  const counts = { true: 0, false: 0 };
  for (let i = 2; i < 102; i++) {
    const key = Buffer.alloc(32);
    key.set([i, 0, 0, 0, 0, 7, i % 3 === 0 ? 255 : 0]);
    const y = BigInt(`0x${Buffer.from(key).reverse().toString('hex')}`);
    // x^2 = (y^2 - 1) / (d y^2 + 1) has a root (RFC 8032, 5.1.3), by Euler's criterion.
    const onCurve = power((y * y - 1n) * (d * y * y + 1n), (p - 1n) / 2n) <= 1n;
    let accepted = true;
    try {
      verifier.checkKey(key);
    } catch (error) {
      assert.equal(error.reason, 'key');
      accepted = false;
    }
    assert.equal(accepted, onCurve, key.toString('hex'));
    counts[onCurve]++;
  }
  assert.ok(counts.true > 20 && counts.false > 20);
});

test('a record that tells another history is not believed', () => {
  const other = structuredClone(files.facts.record);
  other.heights[0].y = 'ab'.repeat(32);
  const own = new PublicRecord(verifier);
  own.add(JSON.stringify(files.facts.record));
  assert.throws(() => own.add(JSON.stringify(other)), (error) => error.reason === 'two-histories');
  for (const text of ['', '{}', '[]', 'null', '{"format":"holdfast-public/1"}']) assert.throws(() => own.add(text), HoldfastError);
});

test('the package holds every file that it names', async () => {
  const manifest = JSON.parse(await readFile(new URL('package/package.json', BUILD)));
  for (const file of manifest.files) assert.ok((await stat(pathOf(new URL(`package/${file}`, BUILD)))).size > 0, file);
});
