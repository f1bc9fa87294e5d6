// public.json, as `holdfast public export` writes it, and what a verifier must know out of it.
//
// Its words are taken as they stand: whoever reads a record trusts whoever gave it for blocks, y and
// digests, as the file's reader in C++ does. Registrations and updates are verified.
import { ArgumentError, HoldfastError } from './errors.js';
import { toBytes, toHex } from './known.js';

const ZEROS = '00'.repeat(32);

function digest(value, name) {
  return toHex(toBytes(value, name, 32));
}

function whole(value, name) {
  if (!Number.isSafeInteger(value) || value < 0) throw new ArgumentError(`${name} should be a whole number`);
  return value;
}

function array(value, name) {
  if (!Array.isArray(value)) throw new ArgumentError(`${name} should be an array`);
  return value;
}

function standing(kind, body) {
  const out = new Uint8Array(body.length + 2);
  out.set([1, kind]);
  out.set(body, 2);
  return out;
}

export class PublicRecord {
  /** By height: {height, blockHash, y?, global?}, hexadecimal. */
  heights = new Map();
  /** By chain id: {registration, reveals, updates}. */
  chains = new Map();
  #verifier;

  constructor(verifier) {
    this.#verifier = verifier;
  }

  /** Adds what the text of a public.json holds. Throws before it adds anything of a bad one. */
  add(text) {
    let json;
    try {
      json = JSON.parse(text);
    } catch (error) {
      throw new ArgumentError(`not JSON: ${error.message}`);
    }
    if (json?.format !== 'holdfast-public/1') throw new ArgumentError('not a public record: "format" is another');
    if (json.network_id !== toHex(this.#verifier.networkId)) {
      throw new HoldfastError('network', 'the record is of another network');
    }
    const heights = array(json.heights, 'heights').map((one, i) => this.#height(one, `heights[${i}]`));
    const chains = array(json.chains, 'chains').map((one, i) => this.#chain(one, `chains[${i}]`));
    for (const height of heights) this.noteHeight(height);
    for (const chain of chains) this.chains.set(chain.id, chain);
    return { heights, chains };
  }

  /** Takes over a height. Two that contradict each other are two histories, and neither is believed. */
  noteHeight(height) {
    const before = this.heights.get(height.height);
    for (const field of ['blockHash', 'y', 'global']) {
      if (before?.[field] && height[field] && before[field] !== height[field]) {
        throw new HoldfastError('two-histories', `height ${height.height} has another ${field} than the one known`);
      }
    }
    this.heights.set(height.height, { ...before, ...height });
  }

  #height(one, name) {
    const out = { height: whole(one?.height, `${name}.height`), blockHash: digest(one.block_hash, `${name}.block_hash`) };
    for (const field of ['y', 'global']) {
      if (one[field] !== undefined) out[field] = digest(one[field], `${name}.${field}`);
    }
    return out;
  }

  #chain(one, name) {
    const registration = toBytes(one?.registration, `${name}.registration`);
    this.#verifier.verify(standing(1, registration));
    const id = toHex(this.#verifier.ids(registration).chainId);
    const fields = this.#verifier.inspect(standing(1, registration));
    const updates = array(one.updates, `${name}.updates`).map((body, i) => {
      const update = standing(2, toBytes(body, `${name}.updates[${i}]`));
      return this.#update(update, id, fields, i);
    });
    const reveals = array(one.reveals, `${name}.reveals`).map((r, i) => ({
      base: whole(r?.base, `${name}.reveals[${i}].base`), i: whole(r.i, `${name}.reveals[${i}].i`),
      reveal: digest(r.a, `${name}.reveals[${i}].a`),
    }));
    return {
      id, registration: toHex(registration), updates, reveals, genesisHeight: fields.genesis_height,
      commitment: fields.local_commitment ?? ZEROS,
    };
  }

  /** The signature holds; that it was accepted in time is the record's word. */
  #update(update, chainId, registration, index) {
    const fields = this.#verifier.inspect(update);
    this.#verifier.verify(update, {
      chainId, prover: registration.prover, lastSequence: fields.sequence - 1,
      lastEffective: registration.genesis_height, accepted: 0,
    });
    return { effective: fields.effective_height, commitment: fields.local_commitment ?? ZEROS, index };
  }

  /** What must be known of a height. Throws not-found where the record lacks it. */
  knownHeight(height) {
    const own = this.heights.get(height);
    if (own === undefined) throw new HoldfastError('not-found', `no block of height ${height} is known`);
    const around = this.#verifier.around(height);
    const genesis = toHex(around.genesisGlobal);
    const anchor = around.anchor === null ? genesis : this.heights.get(Number(around.anchor))?.global;
    if (anchor === undefined) {
      throw new HoldfastError('digest-unknown', `the digest of height ${around.anchor}, the anchor of ${height}, is not known`);
    }
    return {
      height, blockHash: own.blockHash, y: own.y, global: own.global, anchor,
      previousGlobal: around.isFirst ? genesis : this.heights.get(height - 1)?.global,
      yCompact: this.heights.get(Number(around.compactDraw))?.y,
    };
  }

  /** The chain with the commitment in force at `height` and the nearest reveal known under it. */
  knownChain(chainId, height) {
    const chain = this.chains.get(chainId);
    if (chain === undefined) throw new HoldfastError('unknown-chain', `chain ${chainId} is not known`);
    let base = chain.genesisHeight;
    let commitment = chain.commitment;
    for (const update of chain.updates) {
      if (update.effective <= height) [base, commitment] = [update.effective, update.commitment];
    }
    if (commitment === ZEROS) return { registration: chain.registration, reveals: null };
    const i = height - base;
    let nearest = { base, i: 0, reveal: commitment };
    for (const reveal of chain.reveals) {
      if (reveal.base === base && Math.abs(reveal.i - i) < Math.abs(nearest.i - i)) nearest = reveal;
    }
    return { registration: chain.registration, reveals: nearest };
  }
}
