// holdfast-verifier: whether objects of the protocol hold, by the one verifier there is.
import { ArgumentError, HoldfastError, Refusal } from './errors.js';
import { Instance, Run } from './instance.js';
import { Encoder, encodeKnown, toBytes, toHex } from './known.js';

export { PublicRecord } from './public-record.js';
export { ArgumentError, HoldfastError, Refusal, toBytes, toHex };

const DEFAULT_MEMORY = 64 << 20;

async function compile() {
  const url = new URL('./holdfast_verifier.wasm', import.meta.url);
  if (url.protocol === 'file:') {
    const { readFile } = await import('node:fs/promises');
    return WebAssembly.compile(await readFile(url));
  }
  const response = await fetch(url);
  if (!response.ok) throw new HoldfastError('unavailable', `${url}: ${response.status}`);
  return WebAssembly.compile(await response.arrayBuffer());
}

let compiled;
function sharedModule() {
  compiled ??= compile().catch((error) => {
    compiled = undefined; // tried again by whoever comes next
    throw error;
  });
  return compiled;
}

export class Verifier {
  #instance;
  #network;
  #networkId;

  /** `network`: the file network.params. `memoryLimit`: bytes that the verifier may ever hold. */
  static async create(network, { memoryLimit = DEFAULT_MEMORY, module } = {}) {
    return new Verifier(new Instance(module ?? (await sharedModule()), memoryLimit), network);
  }

  constructor(instance, network) {
    this.#instance = instance;
    this.#network = toBytes(network, 'network').slice();
    this.#networkId = this.#run(Run.network, (e) => e);
  }

  get networkId() {
    return this.#networkId.slice();
  }
  get memoryBytes() {
    return this.#instance.memoryBytes;
  }

  /** Returns nothing where the object holds; throws Refusal where it does not. */
  verify(object, known = {}) {
    const bytes = toBytes(object, 'object');
    const context = encodeKnown(bytes[1], known);
    this.#run(Run.verify, (e) => e.sized(context).raw(bytes));
  }

  /** The object's fields, as `holdfast inspect --json` prints them. Nothing is judged but its form. */
  inspect(object) {
    return JSON.parse(new TextDecoder().decode(this.#instance.run(Run.inspect, toBytes(object, 'object'))));
  }

  /** {replicaId, chainId} of a registration: an object that stands alone, or its body. */
  ids(registration) {
    const bytes = toBytes(registration, 'registration');
    const out = this.#run(Run.ids, (e) => e.raw(bytes.length === 304 ? bytes.subarray(2) : bytes));
    return { replicaId: out.slice(0, 32), chainId: out.slice(32) };
  }

  /** The seed of a height, which is y in a network without a VDF. */
  seed({ height, blockHash, beacon }) {
    return this.#run(Run.seed, (e) => {
      e.u64(height, 'height').digest(blockHash, 'blockHash').flag(beacon !== undefined);
      if (beacon !== undefined) e.u64(beacon.round, 'beacon.round').digest(beacon.randomness, 'beacon.randomness');
    });
  }

  /** What else a verifier of this height must know: {isFirst, anchor (or null), compactDraw, genesisGlobal}. */
  around(height) {
    const out = this.#run(Run.around, (e) => e.u64(height, 'height'));
    const view = new DataView(out.buffer, out.byteOffset);
    const anchor = (out[0] & 1) !== 0 ? view.getBigUint64(1, true) : null;
    return { isFirst: (out[0] & 2) !== 0, anchor, compactDraw: view.getBigUint64(9, true), genesisGlobal: out.slice(17) };
  }

  /** Throws Refusal unless the key has signed the message under the protocol's rule. */
  verifySignature(key, message, signature) {
    const e = new Encoder().digest(key, 'key').fixed(signature, 64, 'signature');
    this.#instance.run(Run.signature, e.raw(toBytes(message, 'message')).finish());
  }

  /** Whether a key may be registered. */
  checkKey(key) {
    this.#instance.run(Run.registrableKey, new Encoder().digest(key, 'key').finish());
  }

  /** The root that leaf hashes at ascending indices and their multiproof's siblings lead to. */
  multiproofRoot({ leaves, indices, hashes, siblings }) {
    const e = new Encoder().u64(leaves, 'leaves');
    e.list(indices, 'indices', (i, name) => e.u64(i, name));
    e.list(hashes, 'hashes', (h, name) => e.digest(h, name));
    e.list(siblings, 'siblings', (h, name) => e.digest(h, name));
    return this.#instance.run(Run.multiproof, e.finish());
  }

  /** That the journal of an accepted head (kind 28) holds `entry` at `index`. */
  verifyEntry({ head, index, entry, path }) {
    const e = new Encoder().raw(headBody(head, 'head')).u64(index, 'index');
    e.list(path, 'path', (h, name) => e.digest(h, name));
    this.#instance.run(Run.entry, e.sized(toBytes(entry, 'entry')).finish());
  }

  /** That the journal of `newer` begins with that of `older`, both accepted heads. */
  verifyExtension({ older, newer, proof }) {
    const e = new Encoder().raw(headBody(older, 'older')).raw(headBody(newer, 'newer'));
    e.list(proof, 'proof', (h, name) => e.digest(h, name));
    this.#instance.run(Run.extension, e.finish());
  }

  /** Argon2d's tag of the memory-hard fill: blocks of 1 KiB, within memoryLimit. */
  fillTag({ lanes, passes, blocks, password, salt, associatedData = new Uint8Array() }) {
    const e = new Encoder().u32(lanes, 'lanes').u32(passes, 'passes').u64(blocks, 'blocks');
    for (const [name, value] of Object.entries({ password, salt, associatedData })) e.sized(toBytes(value, name));
    return this.#instance.run(Run.fill, e.finish());
  }

  #run(number, write) {
    const e = new Encoder().sized(this.#network);
    write(e);
    return this.#instance.run(number, e.finish());
  }
}

function headBody(head, name) {
  const bytes = toBytes(head, name);
  return toBytes(bytes.length === 242 ? bytes.subarray(2) : bytes, name, 240);
}

/** Every reason that an object can be refused for: name, meaning, and what to do. */
export async function reasons() {
  return new Instance(await sharedModule(), DEFAULT_MEMORY).reasons().map((reason) => ({ ...reason }));
}
