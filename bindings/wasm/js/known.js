// What a verifier knows, from objects to bytes: the other side of src/known.cpp.
import { ArgumentError } from './errors.js';

/** Bytes of a Uint8Array, an ArrayBuffer or a string of hexadecimal digits. */
export function toBytes(value, name, length) {
  let out;
  if (value instanceof Uint8Array) {
    out = value;
  } else if (value instanceof ArrayBuffer) {
    out = new Uint8Array(value);
  } else if (typeof value === 'string' && value.length % 2 === 0 && /^[0-9a-fA-F]*$/.test(value)) {
    out = new Uint8Array(value.length / 2);
    for (let i = 0; i < out.length; i++) out[i] = parseInt(value.slice(2 * i, 2 * i + 2), 16);
  } else {
    throw new ArgumentError(`${name} should be bytes or hexadecimal digits`);
  }
  if (length !== undefined && out.length !== length) {
    throw new ArgumentError(`${name} should be ${length} bytes, not ${out.length}`);
  }
  return out;
}

export const toHex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');

/** Writes the canonical encoding of spec section 0. */
export class Encoder {
  #parts = [];
  #bytes = 0;

  raw(bytes) {
    this.#parts.push(bytes);
    this.#bytes += bytes.length;
    return this;
  }
  u8(value) {
    return this.raw(Uint8Array.of(value));
  }
  #integer(value, bytes, name) {
    let big;
    try {
      big = BigInt(value);
    } catch {
      throw new ArgumentError(`${name} should be a whole number`);
    }
    if (typeof value === 'number' && !Number.isSafeInteger(value)) {
      throw new ArgumentError(`${name} should be a BigInt where it is over 2^53`);
    }
    if (big < 0n || big >= 1n << BigInt(8 * bytes)) {
      throw new ArgumentError(`${name} should be from 0 to 2^${8 * bytes} - 1`);
    }
    const out = new Uint8Array(bytes);
    for (let i = 0; i < bytes; i++) out[i] = Number((big >> BigInt(8 * i)) & 255n);
    return this.raw(out);
  }
  u32(value, name) {
    return this.#integer(value, 4, name);
  }
  u64(value, name) {
    return this.#integer(value, 8, name);
  }
  fixed(value, length, name) {
    return this.raw(toBytes(value, name, length));
  }
  flag(value) {
    return this.u8(value ? 1 : 0);
  }
  digest(value, name) {
    return this.fixed(value, 32, name);
  }
  /** Absent is undefined or null. */
  optionalDigest(value, name) {
    const there = value !== undefined && value !== null;
    this.flag(there);
    return there ? this.digest(value, name) : this;
  }
  sized(bytes) {
    return this.u64(bytes.length, 'length').raw(bytes);
  }
  list(values, name, write) {
    if (!Array.isArray(values)) throw new ArgumentError(`${name} should be an array`);
    this.u64(values.length, name);
    values.forEach((value, i) => write(value, `${name}[${i}]`));
    return this;
  }
  finish() {
    const out = new Uint8Array(this.#bytes);
    let at = 0;
    for (const part of this.#parts) {
      out.set(part, at);
      at += part.length;
    }
    return out;
  }
}

function need(value, name) {
  if (value === null || typeof value !== 'object') throw new ArgumentError(`${name} should be an object`);
  return value;
}

/** An object that stands alone or its body, as the body. */
function body(value, name, length) {
  const bytes = toBytes(value, name);
  return toBytes(bytes.length === length + 2 ? bytes.subarray(2) : bytes, name, length);
}

const REGISTRATION_BYTES = 302;

function chain(e, value, name = 'known.chain') {
  need(value, name);
  e.raw(body(value.registration, `${name}.registration`, REGISTRATION_BYTES));
  e.flag(value.reveals !== undefined);
  if (value.reveals === undefined) return;
  e.flag(value.reveals !== null);
  if (value.reveals === null) return;
  e.u64(value.reveals.base, `${name}.reveals.base`);
  reveal(e, value.reveals, `${name}.reveals`);
}

function reveal(e, value, name) {
  need(value, name);
  e.u64(value.i, `${name}.i`).digest(value.reveal, `${name}.reveal`);
}

function height(e, value, name = 'known.height') {
  need(value, name);
  e.u64(value.height, `${name}.height`).digest(value.blockHash, `${name}.blockHash`);
  e.optionalDigest(value.y, `${name}.y`).digest(value.anchor, `${name}.anchor`);
  for (const field of ['linkBefore', 'yCompact', 'previousGlobal', 'global']) {
    e.optionalDigest(value[field], `${name}.${field}`);
  }
}

function place(e, known, name = 'known') {
  need(known, name);
  chain(e, known.chain, `${name}.chain`);
  height(e, known.height, `${name}.height`);
}

function change(e, known) {
  e.digest(known.chainId, 'known.chainId').digest(known.prover, 'known.prover');
  e.u32(known.lastSequence, 'known.lastSequence').u64(known.lastEffective, 'known.lastEffective');
  e.u64(known.accepted, 'known.accepted');
}

function vdf(e, known) {
  e.u64(known.height, 'known.height').digest(known.input, 'known.input');
  e.optionalDigest(known.epochSource, 'known.epochSource');
}

function vdfProof(e, known) {
  vdf(e, known);
  const segments = known.segments ?? 'none';
  e.u8(segments === 'none' ? 0 : segments === 'all' ? 1 : 2);
  e.list(Array.isArray(segments) ? segments : [], 'known.segments', (i, name) => e.u32(i, name));
  if (!Array.isArray(segments) && segments !== 'none' && segments !== 'all') {
    throw new ArgumentError('known.segments should be "none", "all" or an array of numbers');
  }
}

function challenged(e, known) {
  e.digest(known.chainId, 'known.chainId').u64(known.height, 'known.height');
  e.digest(known.blockHash, 'known.blockHash').digest(known.y, 'known.y');
  e.list(known.challengers, 'known.challengers', (one, name) => {
    e.digest(one.key, `${name}.key`).u64(one.part ?? 1, `${name}.part`);
  });
}

function outcome(challengeBytes, e, known) {
  e.raw(body(known.challenge, 'known.challenge', challengeBytes));
  if (challengeBytes === 232) e.digest(known.prover, 'known.prover');
  e.u64(known.base, 'known.base');
  reveal(e, known.reveal, 'known.reveal');
}

function evidence(e, known) {
  e.list(known.chains ?? [], 'known.chains', (one, name) => chain(e, one, name));
  e.list(known.blocks ?? [], 'known.blocks', (one, name) => {
    e.u64(one.height, `${name}.height`);
    for (const field of ['blockHash', 'y', 'seed']) e.optionalDigest(one[field], `${name}.${field}`);
  });
  e.list(known.epochSeeds ?? [], 'known.epochSeeds', (one, name) => {
    e.u64(one.epoch, `${name}.epoch`).digest(one.seed, `${name}.seed`);
  });
  e.flag(known.fills ?? false);
}

/** By the kind of the object that is judged (spec section 13). */
const CONTEXTS = {
  1: (e, k) => {
    e.flag(k.accepted !== undefined);
    if (k.accepted !== undefined) e.u64(k.accepted, 'known.accepted').optionalDigest(k.finalHash, 'known.finalHash');
  },
  2: change,
  3: (e, k) => {
    e.raw(body(k.registration, 'known.registration', REGISTRATION_BYTES)).u64(k.yHeight, 'known.yHeight');
    e.digest(k.y, 'known.y').flag(k.audit ?? false).flag(k.fills ?? false);
  },
  4: (e, k) => place(e, k),
  5: (e, k) => (place(e, k), e.flag(k.mustCount ?? true)),
  6: (e, k) => (place(e, k), e.flag(k.mustCount ?? true)),
  7: (e, k) => height(e, k.height),
  8: (e, k) => e.list(k.places, 'known.places', (one, name) => place(e, one, name)),
  9: vdfProof,
  10: (e, k) => (vdf(e, k), e.digest(k.root, 'known.root').flag(k.walk ?? false)),
  11: challenged,
  12: (e, k) => {
    e.raw(body(k.registration, 'known.registration', REGISTRATION_BYTES)).digest(k.y, 'known.y');
    const bytes = toBytes(k.challenge, 'known.challenge').length;
    e.raw(body(k.challenge, 'known.challenge', bytes === 200 || bytes === 202 ? 200 : 232));
  },
  13: (e, k) => outcome(200, e, k),
  15: (e, k) => {
    e.flag(k.own !== undefined);
    if (k.own === undefined) return;
    e.digest(k.own.blockHash, 'known.own.blockHash').digest(k.own.global, 'known.own.global');
    e.u64(k.own.totalChains, 'known.own.totalChains');
  },
  16: evidence,
  20: change,
  22: (e, k) => height(e, k.height),
  23: (e, k) => place(e, k),
  24: (e, k) => (place(e, k), e.optionalDigest(k.link, 'known.link')),
  25: (e, k) => (place(e, k), e.optionalDigest(k.link, 'known.link')),
  26: (e, k) => e.digest(k.host, 'known.host').sized(toBytes(k.object, 'known.object')),
  27: (e, k) => outcome(232, e, k),
  29: challenged,
};

export function encodeKnown(kind, known) {
  const e = new Encoder();
  const write = CONTEXTS[kind];
  if (write !== undefined) write(e, need(known, 'known'));
  return e.finish();
}
