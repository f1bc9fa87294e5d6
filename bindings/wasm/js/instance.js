// One instance of the module: memory, calls, answers. Knows nothing of the protocol.
import { ArgumentError, HoldfastError, Refusal } from './errors.js';

const PAGE_BYTES = 65536;
const INITIAL_PAGES = 64; // as the module is linked
const MOST_PAGES = 32768;
/** Memory that a call has grown beyond this is given back with the instance. */
const KEPT_BYTES = 64 << 20;

/** By the number that src/exports.cpp gives them. */
export const Run = Object.freeze({
  reasons: 0, inspect: 1, network: 2, verify: 3, ids: 4, seed: 5, signature: 6, registrableKey: 7,
  multiproof: 8, entry: 9, extension: 10, fill: 11, around: 12,
});

/** ErrorCode of core/result.hpp, in its order. */
const ERROR_CODES = [
  'invalid-argument', 'not-found', 'already-exists', 'permission', 'io', 'corrupt', 'out-of-space',
  'out-of-memory', 'busy', 'interrupted', 'unavailable', 'timeout', 'refused', 'unsupported',
];

export class Instance {
  #module;
  #memoryLimit;
  #exports = null;
  #memory = null;
  #said = '';
  #reasons = null;

  /** `memoryLimit` in bytes bounds everything that the module may ever hold at once. */
  constructor(module, memoryLimit) {
    const pages = Math.floor(memoryLimit / PAGE_BYTES);
    if (!(pages >= INITIAL_PAGES && pages <= MOST_PAGES)) {
      throw new ArgumentError('memoryLimit should be between 4 MiB and 2 GiB');
    }
    this.#module = module;
    this.#memoryLimit = pages;
  }

  /** Bytes that the module holds now. */
  get memoryBytes() {
    return this.#memory === null ? 0 : this.#memory.buffer.byteLength;
  }

  /** What the run answers, as bytes. Throws Refusal, or HoldfastError where nothing could be judged. */
  run(number, input) {
    const [code, output] = this.#call(number, input);
    if (code === 0) return output;
    if (code > 0) {
      const index = output.length === 8 ? new DataView(output.buffer).getBigUint64(0, true) : undefined;
      throw new Refusal(this.reasons()[code], index === undefined ? undefined : Number(index));
    }
    throw new HoldfastError(ERROR_CODES[-1 - code] ?? 'unsupported', new TextDecoder().decode(output));
  }

  /** The table of core/reasons.def. */
  reasons() {
    if (this.#reasons === null) {
      const [, json] = this.#call(Run.reasons, new Uint8Array());
      this.#reasons = JSON.parse(new TextDecoder().decode(json));
    }
    return this.#reasons;
  }

  #call(number, input) {
    try {
      if (this.#exports === null) this.#start();
      const at = this.#exports.hf_input(input.length) >>> 0;
      if (at === 0) throw new HoldfastError('too-large', 'more input than this verifier takes');
      new Uint8Array(this.#memory.buffer).set(input, at);
      const code = this.#exports.hf_run(number);
      const from = this.#exports.hf_output() >>> 0;
      const output = new Uint8Array(this.#memory.buffer).slice(from, from + this.#exports.hf_output_bytes());
      if (this.memoryBytes > KEPT_BYTES) this.#drop();
      return [code, output];
    } catch (error) {
      if (error instanceof HoldfastError) throw error;
      // A trap: an internal check failed, or memory ran out in the middle of something. What the
      // instance holds means nothing any more; the next call gets a new one.
      const said = this.#said.trim();
      this.#drop();
      if (said.includes('bad_alloc') || said.includes('bad_array_new_length')) {
        throw new HoldfastError('out-of-memory', 'the limit of memory was reached');
      }
      throw new HoldfastError('internal', said || `the verifier stopped: ${error.message}`);
    }
  }

  #start() {
    this.#memory = new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: this.#memoryLimit });
    this.#said = '';
    const instance = new WebAssembly.Instance(this.#module, {
      env: { memory: this.#memory },
      wasi_snapshot_preview1: {
        // The C library's way to standard error, for the last words of a failed check.
        fd_write: (_file, vectors, count, written) => this.#write(vectors, count, written),
        fd_seek: () => 70, // not a file
        fd_close: () => 0,
      },
    });
    instance.exports._initialize();
    this.#exports = instance.exports;
  }

  #drop() {
    this.#exports = null;
    this.#memory = null;
  }

  #write(vectors, count, written) {
    const memory = new DataView(this.#memory.buffer);
    let total = 0;
    for (let i = 0; i < count; i++) {
      const from = memory.getUint32(vectors + 8 * i, true);
      const bytes = memory.getUint32(vectors + 8 * i + 4, true);
      this.#said += new TextDecoder().decode(new Uint8Array(this.#memory.buffer, from, bytes));
      total += bytes;
    }
    memory.setUint32(written, total, true);
    return 0;
  }
}
