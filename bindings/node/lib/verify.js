'use strict';
// Objects, networks, signers, the verifier, the sequential function, shards, evidence.

const { native } = require('./native.js');
const { Handle, make, raw, watched } = require('./handle.js');
const { hostSigner } = require('./host.js');

const objects = {
  /** The kind that an object claims: 'compact', ... */
  kind: (object) => native.objectKind(object),
  toJSON: (object) => JSON.parse(native.objectToJson(object)),
  fromJSON: (fields) => native.objectFromJson(JSON.stringify(fields) ?? ''),
  sha256: (data) => native.sha256(data),
};

class Network extends Handle {
  static async load(path) {
    return make(Network, await native.networkLoad(path));
  }
  static fromObject(object) {
    return make(Network, native.networkFromObject(object));
  }
  /** settings: {name: 'mine', block_ms: 6000, ...}, with the names that toJSON gives. */
  static fromPreset(preset = 'default', settings = {}) {
    const list = Object.entries(settings).map(([key, value]) => {
      const text = Buffer.isBuffer(value) || value instanceof Uint8Array
        ? Buffer.from(value).toString('hex')
        : typeof value === 'boolean' ? String(Number(value)) : String(value);
      return `${key}=${text}`;
    });
    return make(Network, native.networkFromPreset(preset, list));
  }
  get id() {
    return native.networkId(raw(this, Network, 'network'));
  }
  toObject() {
    return native.networkObject(raw(this, Network, 'network'));
  }
  toJSON() {
    return JSON.parse(native.networkToJson(raw(this, Network, 'network')));
  }
  /** The height whose y decides which proof of a link of `height` counts. */
  compactHeight(height) {
    return native.networkCompactHeight(raw(this, Network, 'network'), height);
  }
  async save(path) {
    await native.networkSave(raw(this, Network, 'network'), path);
  }
}

class Signer extends Handle {
  static generate() {
    return make(Signer, native.signerGenerate());
  }
  /** The 32-byte secret of RFC 8032; wipe your own copy. */
  static fromSecret(secret) {
    return make(Signer, native.signerFromSecret(secret));
  }
  static async load(path) {
    return make(Signer, await native.signerLoad(path));
  }
  /** A host's own key store: {publicKey(): Buffer, sign(message): Buffer}. options: {timeoutMs}. */
  static async from(host, options) {
    return make(Signer, await hostSigner(host, options));
  }
  get publicKey() {
    return native.signerPublicKey(raw(this, Signer, 'signer'));
  }
  async sign(message) {
    return native.signerSign(raw(this, Signer, 'signer'), message);
  }
  async save(path) {
    await native.signerSave(raw(this, Signer, 'signer'), path);
  }
  static verify(publicKey, message, signature) {
    return native.signatureVerify(publicKey, message, signature);
  }
}

class Verifier extends Handle {
  static create(network) {
    return make(Verifier, native.verifierNew(raw(network, Network, 'network')));
  }
  /** Of a folder of public data. */
  static async load(folder) {
    return make(Verifier, await native.verifierLoad(folder));
  }
  async save(folder) {
    await native.verifierSave(raw(this, Verifier, 'verifier'), folder);
  }
  get network() {
    return make(Network, native.verifierNetwork(raw(this, Verifier, 'verifier')));
  }
  setHeights(heights) {
    native.verifierSetHeights(raw(this, Verifier, 'verifier'), heights);
  }
  addChain(chain) {
    return native.verifierAddChain(raw(this, Verifier, 'verifier'), chain);
  }
  height(height) {
    return native.verifierHeight(raw(this, Verifier, 'verifier'), height);
  }
  get chains() {
    return native.verifierChains(raw(this, Verifier, 'verifier'));
  }
  /** Off the event loop. options: {signal, progress} and the hints. */
  async verify(object, options) {
    return watched(options, (control) =>
      native.verifierVerify(raw(this, Verifier, 'verifier'), object, options, control));
  }
  /** Here and now, some hundred microseconds; not for seal proofs. */
  verifySync(object, hints) {
    return native.verifierVerifySync(raw(this, Verifier, 'verifier'), object, hints);
  }
  linkPlace(height) {
    return native.verifierLinkPlace(raw(this, Verifier, 'verifier'), height);
  }
}

/** The sequential function. */
class Vdf extends Handle {
  static async create(network, { memoryBytes, threads } = {}) {
    return make(Vdf, await native.vdfNew(raw(network, Network, 'network'), memoryBytes, threads));
  }
  static input(network, height, blockHash, beacon) {
    return native.vdfInput(raw(network, Network, 'network'), height, blockHash, beacon);
  }
  /** The height whose y seeds the epoch of `height`; null in epoch 0. */
  static epochSource(network, height) {
    return native.vdfEpochSource(raw(network, Network, 'network'), height);
  }
  async evaluate(evaluator, { height, input, epochSource, ...options } = {}) {
    const signer = raw(evaluator, Signer, 'evaluator');
    return watched(options, (control) =>
      native.vdfEvaluate(raw(this, Vdf, 'vdf'), signer, height, input, epochSource, control));
  }
  /** segments: so many drawn at random; left out: in full, which alone makes y usable. */
  async verify(proof, { height, input, epochSource, segments, ...options } = {}) {
    return watched(options, (control) =>
      native.vdfVerify(raw(this, Vdf, 'vdf'), height, input, epochSource, proof, segments, control));
  }
}

const shards = {
  async encode(source, data, parity, paths, options) {
    return watched(options, (c) => native.shardsEncode(source, data, parity, paths, c));
  },
  async decode(manifest, paths, output, options) {
    return watched(options, (c) => native.shardsDecode(manifest, paths, output, c));
  },
  async rebuild(manifest, paths, shard, output, options) {
    return watched(options, (c) => native.shardsRebuild(manifest, paths, shard, output, c));
  },
};

const evidence = {
  /** request: {what, objects, chainId, replica}. */
  async make(verifier, request, options) {
    const handle = raw(verifier, Verifier, 'verifier');
    return watched(options, (control) => native.evidenceMake(handle, request, control));
  },
  async verify(verifier, object, { withoutFill, ...options } = {}) {
    const handle = raw(verifier, Verifier, 'verifier');
    return watched(options, (control) =>
      native.evidenceVerify(handle, object, withoutFill, control));
  },
};

module.exports = { objects, Network, Signer, Verifier, Vdf, shards, evidence };
