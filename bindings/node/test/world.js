'use strict';
// A host in JavaScript for the tests: a chain and a token in memory, a folder that goes away.

const crypto = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const holdfast = require('holdfast');

const hash = (...parts) => {
  const h = crypto.createHash('sha256');
  for (const part of parts) h.update(typeof part === 'bigint' ? String(part) : part);
  return h.digest();
};

/** Every block lists what was submitted before it. */
class MemoryChain {
  constructor({ finality, blockMs }) {
    this.finality = BigInt(finality);
    this.blockMs = BigInt(blockMs);
    this.tip = 0n;
    this.objects = new Map();
    this.events = new Map();
    this.eventCount = 0n;
  }
  newBlock() {
    this.tip += 1n;
  }
  hashOf(height) {
    return height < 0n ? Buffer.alloc(32) : hash('block', height);
  }
  has(height) {
    return height >= 0n && height <= this.tip;
  }
  // Some answer at once and some later, as hosts do.
  currentHeight() {
    return this.tip;
  }
  async blockByHeight(height) {
    if (!this.has(height)) return null;
    return {
      height, hash: this.hashOf(height), parent: this.hashOf(height - 1n),
      timeMs: height * this.blockMs, final: this.tip - height >= this.finality,
    };
  }
  submit(kind, object) {
    const list = this.objects.get(this.tip + 1n) ?? [];
    list.push(Buffer.from(object));
    this.objects.set(this.tip + 1n, list);
  }
  submissionsAt(height) {
    return this.has(height) ? this.objects.get(height) ?? [] : null;
  }
  async bondEventsAt(height) {
    return this.has(height) ? this.events.get(height) ?? [] : null;
  }
  list(event) {
    const list = this.events.get(this.tip + 1n) ?? [];
    list.push({ ...event, number: this.eventCount++ });
    this.events.set(this.tip + 1n, list);
  }
}

class MemoryToken {
  constructor(chain) {
    this.chain = chain;
    this.bonds = new Map();
    this.answers = new Map();
  }
  createBond({ owner, amount, purpose, key }) {
    const bond = hash('bond', owner, key);
    if (!this.bonds.has(bond.toString('hex'))) {
      this.bonds.set(bond.toString('hex'), {
        bond, owner, purpose, released: false, createdAmount: amount, heldAmount: amount, slashedAmount: 0n,
      });
      this.chain.list({ what: 'created', purpose, bond, owner, amount });
    }
    return bond;
  }
  take({ bond, amount, key }, what) {
    const id = key.toString('hex');
    if (!this.answers.has(id)) {
      const info = this.bonds.get(bond.toString('hex'));
      const taken = amount < info.heldAmount ? amount : info.heldAmount;
      info.heldAmount -= taken;
      info.released = info.heldAmount === 0n;
      if (what === 'slashed') info.slashedAmount += taken;
      this.chain.list({ what, bond, amount: taken });
      this.answers.set(id, taken);
    }
    return this.answers.get(id);
  }
  releaseBond(request) {
    return this.take(request, 'released');
  }
  slashBond(request) {
    return this.take(request, 'slashed');
  }
  payReward() {}
  bondInfo(bond) {
    return this.bonds.get(bond.toString('hex')) ?? null;
  }
}

function temporaryFolder(test) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-node-'));
  test.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A quick network with a toy clock: 1 MiB, 2,048 steps. */
function quickNetwork(settings = {}) {
  return holdfast.Network.fromPreset('dev', {
    name: 'test', seal_presets: 'dev', 'vdf.checkpoints': 8, 'vdf.steps_per_checkpoint': 256, ...settings,
  });
}

/**
 * The whole path: a file sealed and registered, its chain linked and proven over so many blocks by a
 * manager that drives the prover.
 */
async function runMainJob({ data = Buffer.alloc(200_000, 'h'), blocks = 24, settings = {} } = {}) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-node-'));
  const operator = holdfast.Signer.generate();
  const network = quickNetwork({ operator_key: operator.publicKey, ...settings });
  const fields = network.toJSON();
  const chain = new MemoryChain({ finality: fields.finality_blocks, blockMs: fields.block_ms });
  for (let i = 0; i <= fields.finality_blocks; ++i) chain.newBlock();
  const token = new MemoryToken(chain);

  const signer = holdfast.Signer.generate();
  const prover = await holdfast.ProofOfStorageProver.open({
    network, signer, records: path.join(folder, 'records'),
  });
  const stored = await prover.storeData(data, path.join(folder, 'disk'), { name: 'data' });
  const bond = token.createBond({
    owner: prover.publicKey, amount: 1_000n, purpose: 'storage', key: Buffer.alloc(32),
  });
  const { registration, chainId } = await prover.prover.makeRegistration(stored.replicaId, {
    genesisHeight: 1, genesisBlockHash: chain.hashOf(1n), bond, withCommitment: true,
  });
  chain.submit('registration', registration);

  const manager = await holdfast.HierarchicalNetworkManager.open({
    network, chain, token, folder: path.join(folder, 'node'), operator,
    evaluator: holdfast.Signer.generate(),
  });
  manager.registerProver(prover);
  let last = null;
  for (let i = 0; i < blocks; ++i) {
    chain.newBlock();
    for (let block; (block = await manager.processNetworkBlock()) !== null;) {
      if (block.faults !== 0n) throw new Error(JSON.stringify(block.report.faults));
      last = block;
    }
  }

  /** Proofs of links that have a digest and a y which decides what counts: [{height, proof, kind}]. */
  async function allProofs() {
    const out = [];
    for (let height = 2n; network.compactHeight(height) <= last.height; ++height) {
      const chainPath = await manager.aggregator.path(chainId, height).catch(() => null);
      if (chainPath === null) continue;
      const facts = await manager.aggregator.linkFacts(chainId, height);
      const { y } = await manager.aggregator.height(network.compactHeight(height));
      const proof = await prover.prover
        .prove(facts.place, facts.chain, { yCompact: y, path: chainPath })
        .catch((error) => {
          if (error.reason !== 'too-late') throw error;  // not on record: none was made, or long ago
          return null;
        });
      if (proof !== null) out.push({ height, proof, kind: holdfast.objects.kind(proof) });
    }
    return out;
  }
  async function end() {
    await manager.close();
    await prover.close();
    fs.rmSync(folder, { recursive: true, force: true });
  }
  return { folder, network, chain, token, signer, prover, stored, registration, chainId, manager, last, data, allProofs, end };
}

module.exports = { MemoryChain, MemoryToken, temporaryFolder, quickNetwork, runMainJob };
