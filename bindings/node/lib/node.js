'use strict';
// Sealing, provers, challengers, clocks, aggregators: what stores, signs, and asks a host.

const { native } = require('./native.js');
const { Handle, make, raw, optionalRaw, watched } = require('./handle.js');
const { Blockchain, Token, Beacon, Peers } = require('./host.js');
const { Network, Signer, Verifier } = require('./verify.js');

/** Seals a segment of a file for the owner of a key into `replica` ('X.replica'). */
async function seal(network, prover, source, replica, options) {
  const handle = raw(network, Network, 'network');
  return watched(options, (c) => native.seal(handle, prover, source, replica, options, c));
}

/** The whole original into a new file. */
async function unseal(network, replica, output, options) {
  const handle = raw(network, Network, 'network');
  return watched(options, (c) => native.unseal(handle, replica, output, options?.workers, c));
}

/** Bytes of the original. */
async function unsealRange(network, replica, offset, bytes, options) {
  const handle = raw(network, Network, 'network');
  return watched(options, (c) =>
    native.unsealRange(handle, replica, offset, bytes, options?.workers, c));
}

async function inspectReplica(network, replica) {
  return native.replicaInspect(raw(network, Network, 'network'), replica);
}

/** One call at a time, but for respond(); a second one is refused with 'busy'. */
class Prover extends Handle {
  static async open(network, signer, records, options) {
    return make(Prover, await native.proverOpen(
      raw(network, Network, 'network'), raw(signer, Signer, 'signer'), records, options));
  }
  get #raw() {
    return raw(this, Prover, 'prover');
  }
  /** Takes a replica in; its id. */
  async add(replica) {
    return native.proverAdd(this.#raw, replica);
  }
  async remove(replica) {
    return native.proverRemove(this.#raw, replica);
  }
  get count() {
    return native.proverCount(this.#raw);
  }
  toJSON() {
    return JSON.parse(native.proverToJson(this.#raw));
  }
  async makeRegistration(replicaId, terms) {
    return native.proverMakeRegistration(this.#raw, replicaId, terms);
  }
  async noteRegistration(registration) {
    return native.proverNoteRegistration(this.#raw, registration);
  }
  async makeUpdate(chainId, update) {
    return native.proverMakeUpdate(this.#raw, chainId, update);
  }
  async makeRemoval(chainId, removal) {
    return native.proverMakeRemoval(this.#raw, chainId, removal);
  }
  async reveal(chainId, base, height) {
    return native.proverReveal(this.#raw, chainId, base, height);
  }
  /** {bundle, statuses}: the links of chains at one height. */
  async link(place, chains) {
    return native.proverLink(this.#raw, place, chains);
  }
  async receipt(place, chainId) {
    return native.proverReceipt(this.#raw, place, chainId);
  }
  /** The proof that counts: compact where {yCompact, path} allow it, else full. */
  async prove(place, chain, { yCompact, path } = {}) {
    return native.proverProve(this.#raw, place, chain, yCompact, path);
  }
  /** challenge: {yHeight, y, audit}. */
  async sealProof(chainId, challenge, options) {
    return watched(options, (c) => native.proverSealProof(this.#raw, chainId, challenge, c));
  }
  async onFinalBlock(block) {
    await native.proverOnFinalBlock(this.#raw, block);
  }
  async respond(from, challenge) {
    return native.proverRespond(this.#raw, from, challenge);
  }
}

const proofs = {
  shorten: (proof) => native.proofShorten(proof),
  /** A window of 1 to 5 compact or full proofs of one chain, heights ascending. */
  window: (list) => native.windowMake(list),
};

const challenges = {
  /** challenge: {chainId, height, blockHash, y, reveal}. */
  async make(network, challenger, challenge) {
    return native.challengeMake(
      raw(network, Network, 'network'), raw(challenger, Signer, 'challenger'), challenge);
  },
  verifyResponse(network, registration, challenge, response) {
    return native.responseVerify(raw(network, Network, 'network'), registration, challenge, response);
  },
};

/** One call at a time, but for onFinalBlock(). */
class Challenger extends Handle {
  static async makeRegistration(network, signer, base, bond) {
    return native.challengerMakeRegistration(
      raw(network, Network, 'network'), raw(signer, Signer, 'signer'), base, bond);
  }
  static async open(network, signer, { base, journal, peers } = {}) {
    return make(Challenger, await native.challengerOpen(
      raw(network, Network, 'network'), raw(signer, Signer, 'signer'), base, journal,
      raw(peers, Peers, 'peers')));
  }
  get #raw() {
    return raw(this, Challenger, 'challenger');
  }
  async onFinalBlock(tip) {
    await native.challengerOnFinalBlock(this.#raw, tip);
  }
  async draw(height, chains) {
    return native.challengerDraw(this.#raw, height, chains);
  }
  /** Milliseconds until the next challenge is due; null when none is planned. */
  get nextDueMs() {
    return native.challengerNextDueMs(this.#raw);
  }
  async work(options) {
    return watched(options, (c) => native.challengerWork(this.#raw, c));
  }
  async publish(chain) {
    return native.challengerPublish(this.#raw, raw(chain, Blockchain, 'chain'));
  }
}

/** y of every height of a host chain, verified in full and kept on disk. */
class Clock extends Handle {
  static async open(network, { chain, beacon, evaluator, ...options } = {}) {
    return make(Clock, await native.clockOpen(raw(network, Network, 'network'), {
      ...options,
      chain: raw(chain, Blockchain, 'chain'),
      beacon: optionalRaw(beacon, Beacon, 'beacon'),
      evaluator: optionalRaw(evaluator, Signer, 'evaluator'),
    }));
  }
  get #raw() {
    return raw(this, Clock, 'clock');
  }
  async at(height, options) {
    return watched(options, (c) => native.clockAt(this.#raw, height, c));
  }
  async advance(options) {
    return watched(options, (c) => native.clockAdvance(this.#raw, c));
  }
  async proof(height) {
    return native.clockProof(this.#raw, height);
  }
  async import(proof, options) {
    return watched(options, (c) => native.clockImport(this.#raw, proof, c));
  }
}

/** The registry of all chains. One call at a time, but for submit() and head(). */
class Aggregator extends Handle {
  static async open(network, { chain, clock, token, operator, checkpointer, ...options } = {}) {
    return make(Aggregator, await native.aggregatorOpen(raw(network, Network, 'network'), {
      ...options,
      chain: raw(chain, Blockchain, 'chain'),
      clock: raw(clock, Clock, 'clock'),
      token: optionalRaw(token, Token, 'token'),
      operator: optionalRaw(operator, Signer, 'operator'),
      checkpointer: optionalRaw(checkpointer, Signer, 'checkpointer'),
    }));
  }
  get #raw() {
    return raw(this, Aggregator, 'aggregator');
  }
  /** Takes the next final block: what it did, or null when there is none. */
  async advance(provers = [], options = undefined) {
    if (!Array.isArray(provers)) throw new TypeError('provers: an array wanted');
    const handles = provers.map((p, i) => raw(p, Prover, `provers[${i}]`));
    const block = await watched(options, (c) => native.aggregatorAdvance(this.#raw, handles, c));
    if (block === null) return null;
    const { json, ...summary } = block;
    return { ...summary, report: JSON.parse(json) };
  }
  async behind() {
    return native.aggregatorBehind(this.#raw);
  }
  /** options: {peer, signal, progress}; peer: the name that a stranger's connection proves. */
  async submit(object, options) {
    return watched(options, (c) => native.aggregatorSubmit(this.#raw, object, options?.peer, c));
  }
  async height(height) {
    return native.aggregatorHeight(this.#raw, height);
  }
  /** {tip, closed}: each null before the first. */
  async tip() {
    return native.aggregatorTip(this.#raw);
  }
  async path(chainId, height) {
    return native.aggregatorPath(this.#raw, chainId, height);
  }
  async head(height) {
    return native.aggregatorHead(this.#raw, height);
  }
  /** {place, chain}, as prover.link and prover.prove take them. */
  async linkFacts(chainId, height) {
    return native.aggregatorLinkFacts(this.#raw, chainId, height);
  }
  async sealDuties(chainId) {
    return native.aggregatorSealDuties(this.#raw, chainId);
  }
  async chain(chainId) {
    return JSON.parse(await native.aggregatorChainToJson(this.#raw, chainId));
  }
  async statistics() {
    return JSON.parse(await native.aggregatorStatisticsToJson(this.#raw));
  }
  async cases() {
    return JSON.parse(await native.aggregatorCasesToJson(this.#raw));
  }
  /** {challengers, chains} of a height, as a challenger draws from them. */
  async challenges(height) {
    return native.aggregatorChallenges(this.#raw, height);
  }
  async verifier(first = 0) {
    return make(Verifier, await native.aggregatorVerifier(this.#raw, first));
  }
  async settle(options) {
    return watched(options, (c) => native.aggregatorSettle(this.#raw, c));
  }
}

module.exports = {
  seal, unseal, unsealRange, inspectReplica, Prover, proofs, challenges, Challenger, Clock, Aggregator,
};
