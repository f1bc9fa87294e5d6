'use strict';
// The three classes that users of the field's library for Node.js know, over the full API. What was
// unsound behind each name there, and what stands here instead: docs/migration.md.
//
// Verdicts are booleans here, as there; `judge` gives the whole report.

const { randomUUID } = require('node:crypto');
const fs = require('node:fs/promises');
const path = require('node:path');

const { HoldfastError } = require('./native.js');
const { raw } = require('./handle.js');
const { Blockchain, Token, Beacon } = require('./host.js');
const { Network, Signer, Verifier, objects } = require('./verify.js');
const node = require('./node.js');

const asHandle = (Class, host, options) =>
  host === undefined || host === null || host instanceof Class ? host : Class.from(host, options);

/** Of a buffer, or of the file that a text names. */
async function withFile(data, folder, use) {
  if (typeof data === 'string') return use(data);
  const file = path.join(folder, `.${randomUUID()}.data`);
  await fs.writeFile(file, data, { mode: 0o600, flag: 'wx' });
  try {
    return await use(file);
  } finally {
    await fs.rm(file, { force: true });
  }
}

class ProofOfStorageProver {
  #network;
  #signer;
  #prover;
  #manager = null;

  constructor(network, signer, prover) {
    raw(prover, node.Prover, 'prover');
    this.#network = network;
    this.#signer = signer;
    this.#prover = prover;
  }

  /** records: the folder of what this key has signed. */
  static async open({ network, signer, records, ...options } = {}) {
    return new ProofOfStorageProver(network, signer, await node.Prover.open(network, signer, records, options));
  }

  /** The full API. */
  get prover() {
    return this.#prover;
  }
  get publicKey() {
    return this.#signer.publicKey;
  }

  /** Set by HierarchicalNetworkManager.registerProver. */
  attach(manager) {
    if (!(manager instanceof HierarchicalNetworkManager)) {
      throw new TypeError('manager: a HierarchicalNetworkManager wanted');
    }
    this.#manager = manager;
  }

  /**
   * Seals data (a Buffer, or the path of a file) into a replica of this key's own in the folder, and
   * takes it in. options: {name, preset, workers, signal, progress}. Seconds to hours.
   */
  async storeData(data, outputDirectory, options = {}) {
    if (typeof data !== 'string' && !(data instanceof Uint8Array)) {
      throw new TypeError('data: a Buffer, Uint8Array or path wanted');
    }
    if (typeof outputDirectory !== 'string') throw new TypeError('outputDirectory: a string wanted');
    await fs.mkdir(outputDirectory, { recursive: true });
    const name = options.name ?? randomUUID();
    const replica = path.join(outputDirectory, `${name}.replica`);
    const { segment, nonce, preset, workers, restart, signal, progress } = options;
    const sealed = await withFile(data, outputDirectory, (source) =>
      node.seal(this.#network, this.publicKey, source, replica,
        { segment, nonce, preset, workers, restart, signal, progress }));
    await this.#prover.add(replica);
    return { ...sealed, replica };
  }

  /** What a link of this chain at this height needs: from the caller, or from the manager. */
  async #factsOf({ chainId, height, place, chain }) {
    if (place !== undefined && chain !== undefined) return { place, chain };
    if (this.#manager === null) {
      throw new TypeError('{place, chain} wanted, or a manager that this prover is registered with');
    }
    return this.#manager.aggregator.linkFacts(chainId, height);
  }

  /**
   * The commitment of a chain to a height: its link, durable and signed. request: {chainId, height}
   * with a manager, or {place, chain}. Repeating gives the same bytes; there never is a second link.
   */
  async generateCommitment(request = {}) {
    const { place, chain } = await this.#factsOf(request);
    const { bundle } = await this.#prover.link(place, [chain]);
    const receipt = await this.#prover.receipt(place, chain.chainId);
    return { chainId: Buffer.from(chain.chainId), height: BigInt(place.height), bundle, receipt };
  }

  async #prove(request, kind) {
    const { place, chain } = await this.#factsOf(request);
    let { yCompact, path: chainPath } = request;
    if (kind === 'compact' && this.#manager !== null) {
      const { aggregator } = this.#manager;
      yCompact ??= (await aggregator.height(this.#network.compactHeight(place.height))).y;
      chainPath ??= await aggregator.path(chain.chainId, place.height);
    }
    const proof = await this.#prover.prove(
      place, chain, kind === 'compact' ? { yCompact, path: chainPath } : {});
    if (objects.kind(proof) !== kind) {
      throw new HoldfastError('this height asks for a full proof', 'refused', 'full-required');
    }
    return proof;
  }

  /** Of a link on record; 'refused' with 'full-required' where y asks for all sixteen cells. */
  async createCompactProof(request = {}) {
    return this.#prove(request, 'compact');
  }
  async createFullProof(request = {}) {
    return this.#prove(request, 'full');
  }

  /** A window of 1 to 5 proofs of one chain: {window, commitments}, the links that it shows. */
  createProofWindow(proofs) {
    const window = node.proofs.window(proofs);
    return { window, commitments: linksOf(window) };
  }

  /** from: the key that the challenger's connection proves. Each challenge is answered once. */
  async respondToChallenge(challenge, from) {
    return this.#prover.respond(from, challenge);
  }

  getProverStats() {
    return { publicKey: this.publicKey, ...this.#prover.toJSON() };
  }
  async close() {
    await this.#prover.close();
  }
}

/** The links that a window shows, field by field. */
function linksOf(window) {
  return objects.toJSON(window).commitments;
}

class ProofOfStorageVerifier {
  #verifier;

  /** Over what a Verifier knows of heights and chains. */
  constructor(verifier) {
    raw(verifier, Verifier, 'verifier');
    this.#verifier = verifier;
  }
  /** {network}: knows nothing yet; {folder}: of public data. */
  static async open({ network, folder } = {}) {
    return new ProofOfStorageVerifier(
      folder === undefined ? Verifier.create(network) : await Verifier.load(folder));
  }

  get verifier() {
    return this.#verifier;
  }

  /** The whole report on an object that must be of this kind. */
  judge(object, kind, hints) {
    const report = this.#verifier.verifySync(object, hints);
    return kind === undefined || report.kind === kind || !report.accepted
      ? report
      : { ...report, accepted: false, reason: 'kind' };
  }
  verifyCompactProof(proof, hints) {
    return this.judge(proof, 'compact', hints).accepted;
  }
  verifyFullProof(proof, hints) {
    return this.judge(proof, 'full', hints).accepted;
  }
  /** {accepted, reason, ..., commitments}: what the window shows, where it was accepted. */
  verifyProofWindow(window, hints) {
    const report = this.judge(window, 'window', hints);
    return { ...report, commitments: report.accepted ? linksOf(window) : [] };
  }

  /** A challenge (kind 29) for a drawn height: {challenger, chainId, height, blockHash, y, reveal}. */
  async generateChallenge({ challenger, ...challenge } = {}) {
    return node.challenges.make(this.#verifier.network, challenger, challenge);
  }
  /** Whether the response answers the challenge with what was registered. */
  verifyChallengeResponse(response, challenge, registration) {
    return node.challenges.verifyResponse(this.#verifier.network, registration, challenge, response)
      .accepted;
  }
  /**
   * Challenges a prover through the caller's own transport, send(challenge) => response, and judges
   * what comes back: {served, reason, response, milliseconds}.
   */
  async auditProver({ registration, challenge, send } = {}) {
    if (typeof send !== 'function') throw new TypeError('send: a function wanted');
    const start = performance.now();
    const response = await send(challenge);
    const milliseconds = performance.now() - start;
    const verdict = node.challenges.verifyResponse(
      this.#verifier.network, registration, challenge, response);
    return { served: verdict.accepted, reason: verdict.reason, response, milliseconds };
  }
  async close() {
    await this.#verifier.close();
  }
}

class HierarchicalNetworkManager {
  #network;
  #owned;
  #aggregator;
  #provers = new Set();

  constructor(network, aggregator, owned = []) {
    raw(network, Network, 'network');
    raw(aggregator, node.Aggregator, 'aggregator');
    this.#network = network;
    this.#aggregator = aggregator;
    this.#owned = owned;
  }

  /**
   * chain, token, beacon: objects with the methods of the interfaces, or made by Blockchain.from and
   * its siblings. folder: for the registry and the clock. operator: the signer that the network
   * names; evaluator: signs the y evaluated here.
   */
  static async open({ network, chain, token, beacon, folder, operator, evaluator, guard, ...options } = {}) {
    raw(network, Network, 'network');
    if (typeof folder !== 'string') throw new TypeError('folder: a string wanted');
    if (operator !== undefined) raw(operator, Signer, 'operator');
    await fs.mkdir(folder, { recursive: true });
    const hostChain = asHandle(Blockchain, chain, guard);
    const clock = await node.Clock.open(network, {
      chain: hostChain, beacon: asHandle(Beacon, beacon, guard), evaluator, folder: path.join(folder, 'vdf'),
    });
    const aggregator = await node.Aggregator.open(network, {
      ...options, chain: hostChain, clock, token: asHandle(Token, token, guard), operator,
      registry: path.join(folder, 'registry'),
    });
    return new HierarchicalNetworkManager(network, aggregator, [clock]);
  }

  get aggregator() {
    return this.#aggregator;
  }
  /** From now on processNetworkBlock also does what this prover owes: seal proofs, links, proofs. */
  registerProver(prover) {
    if (!(prover instanceof ProofOfStorageProver)) {
      throw new TypeError('prover: a ProofOfStorageProver wanted');
    }
    this.#provers.add(prover);
    prover.attach(this);
  }
  removeProver(prover) {
    return this.#provers.delete(prover);
  }
  /** Takes the next final block of the chain: what it did, or null when there is none. */
  async processNetworkBlock(options) {
    return this.#aggregator.advance([...this.#provers].map((each) => each.prover), options);
  }
  /** {totalChains, active, late, ...}, of the registry. */
  async getNetworkStats() {
    return this.#aggregator.statistics();
  }
  /** Somebody who knows what this registry makes public. */
  async verifier(first) {
    return new ProofOfStorageVerifier(await this.#aggregator.verifier(first));
  }
  async close() {
    await this.#aggregator.close();
    for (const each of this.#owned) await each.close();
  }
}

module.exports = { ProofOfStorageProver, ProofOfStorageVerifier, HierarchicalNetworkManager };
