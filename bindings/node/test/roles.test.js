'use strict';
// Every role beside the main job, with real data: a seal proof made by hand, a bundle judged member by
// member, evidence, a challenger and the prover that answers it, a network with a beacon, and networks
// that do not fit.

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');
const { test, before, after } = require('node:test');
const holdfast = require('holdfast');
const { MemoryChain, MemoryToken, quickNetwork, runMainJob, temporaryFolder } = require('./world.js');

let job;
before(async () => {
  job = await runMainJob({ blocks: 14, settings: { availability_n: 1, availability_d: 1 } });
});
after(() => job?.end());

/** So many more blocks, driven by whoever is registered with the manager. */
async function follow(blocks) {
  for (let i = 0; i < blocks; ++i) {
    job.chain.newBlock();
    while (await job.manager.processNetworkBlock() !== null);
  }
}

/** The same key with records of its own: it may contradict itself. */
async function otherSelf(t) {
  const other = await holdfast.Prover.open(job.network, job.signer, path.join(temporaryFolder(t), 'records'));
  await other.add(job.stored.replica);
  await other.noteRegistration(job.registration);
  return other;
}

test('a seal proof made by hand is taken from its duty to the registry, and no altered one', async (t) => {
  const { network, chain, token, manager } = job;
  const folder = temporaryFolder(t);
  const signer = holdfast.Signer.generate();
  const prover = await holdfast.ProofOfStorageProver.open({ network, signer, records: path.join(folder, 'records') });
  const stored = await prover.storeData(Buffer.alloc(70_000, 'second'), folder, { name: 'second' });
  const bond = token.createBond({ owner: signer.publicKey, amount: 1_000n, purpose: 'storage', key: Buffer.alloc(32, 2) });
  const tip = chain.tip - 2n;
  const { registration, chainId } = await prover.prover.makeRegistration(stored.replicaId, {
    genesisHeight: tip, genesisBlockHash: chain.hashOf(tip), bond,
  });
  chain.submit('registration', registration);
  await prover.prover.noteRegistration(registration);
  let duty;
  for (let i = 0; i < 16 && !duty?.y; ++i) {
    await follow(1);
    [duty] = await manager.aggregator.sealDuties(chainId).catch(() => []);
  }
  assert.ok(duty?.y && !duty.audit);
  const proof = await prover.prover.sealProof(chainId, duty);
  const flipped = Buffer.from(proof);
  flipped[proof.length - 70] ^= 1;
  const refused = await manager.aggregator.submit(flipped, { peer: 'stranger' });
  assert.equal(refused.accepted, false);
  assert.equal(refused.entry, null);
  assert.equal(typeof refused.reason, 'string');
  const taken = await manager.aggregator.submit(proof);
  assert.deepEqual([taken.accepted, taken.kind], [true, 'seal-proof']);
  assert.equal(typeof taken.entry, 'bigint');
  await prover.close();
});

test('every member of a bundle has a verdict of its own', async (t) => {
  const { network, chainId, chain, manager, prover } = job;
  // The same key with records of its own, and a replica that no block has listed.
  const other = await otherSelf(t);
  const folder = temporaryFolder(t);
  const source = path.join(folder, 'unknown');
  fs.writeFileSync(source, Buffer.alloc(70_000, 'unlisted'));
  await holdfast.seal(network, prover.publicKey, source, path.join(folder, 'unknown.replica'));
  const replicaId = await other.add(path.join(folder, 'unknown.replica'));
  const unlisted = await other.makeRegistration(replicaId, {
    genesisHeight: 1, genesisBlockHash: chain.hashOf(1n), bond: Buffer.alloc(32, 9),
  });
  await other.noteRegistration(unlisted.registration);
  const { tip } = await manager.aggregator.tip();
  const { place, chain: facts } = await manager.aggregator.linkFacts(chainId, tip);
  const { bundle } = await other.link(place, [facts, { chainId: unlisted.chainId, linkBefore: facts.linkBefore }]);
  const outcome = await manager.aggregator.submit(bundle);
  assert.deepEqual([outcome.kind, outcome.members, outcome.membersRefused], ['bundle', 2n, 1n]);
  const inOrder = [chainId, unlisted.chainId].sort(Buffer.compare);
  assert.deepEqual(outcome.memberVerdicts.map((one) => one.reason),
    inOrder.map((id) => (id.equals(chainId) ? null : 'unknown-chain')));
  await other.close();
});

test('two links of one height are evidence', async (t) => {
  const { chainId, manager, prover } = job;
  const other = await otherSelf(t);
  const { closed } = await manager.aggregator.tip();
  const { place, chain: facts } = await manager.aggregator.linkFacts(chainId, closed);
  const first = await prover.prover.link(place, [facts]);
  const lied = { ...facts, linkBefore: Buffer.from(facts.linkBefore) };
  lied.linkBefore[0] ^= 1;  // a node lies to a prover that has lost its records
  const second = await other.link(place, [lied]);
  const { verifier } = await manager.verifier();
  const request = { what: 'equivocation', objects: [first.bundle, second.bundle], chainId };
  const object = await holdfast.evidence.make(verifier, request);
  const judged = await holdfast.evidence.verify(verifier, object);
  assert.deepEqual([judged.verdict.accepted, judged.needsFill, judged.height], [true, false, closed]);
  assert.deepEqual(judged.offender, chainId);
  const altered = Buffer.from(object);
  altered[altered.length - 1] ^= 1;
  assert.equal((await holdfast.evidence.verify(verifier, altered)).verdict.accepted, false);
  await assert.rejects(holdfast.evidence.make(verifier, { ...request, objects: [first.bundle, first.bundle] }),
    (error) => error instanceof holdfast.HoldfastError && error.code === 'refused' && typeof error.reason === 'string');
  await assert.rejects(holdfast.evidence.make(verifier, { ...request, objects: [first.bundle] }), { code: 'invalid-argument' });
  await other.close();
});

test('a challenger draws, the prover answers, the outcome is published', async (t) => {
  const { network, chain, token, manager, prover, chainId, registration } = job;
  const signer = holdfast.Signer.generate();
  const bond = token.createBond({ owner: signer.publicKey, amount: 5_000n, purpose: 'challenger', key: Buffer.alloc(32, 3) });
  await follow(1);
  const base = chain.tip + 8n;
  chain.submit('challenger', await holdfast.Challenger.makeRegistration(network, signer, base, bond));
  await follow(13);
  await prover.prover.noteRegistration(registration);  // what it answers for
  let seen;
  const peers = holdfast.Peers.from({
    peers: () => [],
    measureLatency: () => { throw new holdfast.HoldfastError('none', 'unavailable'); },
    verifyPlace: () => [],
    async sendChallenge(peer, challenge, deadlineMs) {
      assert.deepEqual(peer, prover.publicKey);
      assert.ok(deadlineMs > 0);
      const forged = Buffer.from(challenge);
      forged[forged.length - 1] ^= 1;
      await assert.rejects(prover.respondToChallenge(forged, holdfast.Signer.generate().publicKey), { code: 'refused' });
      const response = await prover.respondToChallenge(challenge, signer.publicKey);
      seen = { challenge, response };
      return { response, serviceUs: 900, pingUs: 200 };
    },
  });
  const challenger = await holdfast.Challenger.open(network, signer, {
    base, journal: path.join(temporaryFolder(t), 'journal'), peers,
  });
  const tell = async (height, challengers) => {
    const { blockHash, y } = await manager.aggregator.height(height);
    const news = { height, blockHash, y, challengers };
    await prover.prover.onFinalBlock(news);
    await challenger.onFinalBlock(height);
    return news;
  };
  let served = 0n;
  for (let tries = 0; served === 0n && tries < 10; ++tries) {  // a busy machine may miss a moment
    await follow(1);
    const { tip } = await manager.aggregator.tip();
    const { challengers, chains } = await manager.aggregator.challenges(tip - 1n);
    assert.equal(challengers.length, 1);
    const drawn = await tell(tip - 1n, challengers);
    await challenger.onFinalBlock(tip);
    await challenger.draw(drawn, chains.filter((one) => one.chainId.equals(chainId)));
    await tell(tip, challengers);
    for (let due; (due = challenger.nextDueMs) !== null;) {
      await sleep(Number(due) + 1);
      served += (await challenger.work()).served;
    }
  }
  assert.ok(served >= 1n && seen);
  assert.ok(holdfast.challenges.verifyResponse(network, registration, seen.challenge, seen.response).accepted);
  const altered = Buffer.from(seen.response);
  altered[altered.length >> 1] ^= 1;
  assert.equal(holdfast.challenges.verifyResponse(network, registration, seen.challenge, altered).accepted, false);
  await assert.rejects(prover.respondToChallenge(seen.challenge, signer.publicKey),
    { code: 'refused', reason: 'duplicate-challenge' });
  const hostChain = holdfast.Blockchain.from(chain);
  let published = 0n;
  for (let i = 0; published === 0n && i < 8; ++i) {
    await follow(1);
    await challenger.onFinalBlock((await manager.aggregator.tip()).tip);
    await challenger.work();
    published = await challenger.publish(hostChain);
  }
  assert.ok(published >= 1n);
  await challenger.close();
});

const roundValue = (round) => crypto.createHash('sha256').update(`round ${round}`).digest();

/** A beacon in JavaScript: values by number, the proof a hash of value and number. */
const honestBeacon = {
  randomness: (round) => ({ randomness: roundValue(round), proof: crypto.createHash('sha256').update(roundValue(round)).digest() }),
  verify: (round, randomness, proof) => randomness.equals(roundValue(round)) &&
    proof.equals(crypto.createHash('sha256').update(randomness).digest()),
};

async function clockWithBeacon(t, methods) {
  const network = quickNetwork({ beacon_key: Buffer.alloc(32, 0xbe), beacon_genesis_s: 0 });
  assert.equal(network.toJSON().has_beacon, true);
  const chain = new MemoryChain({ finality: 2, blockMs: 1_000 });
  for (let i = 0; i < 5; ++i) chain.newBlock();
  const options = { timeoutMs: 300 };
  return holdfast.Clock.open(network, {
    chain: holdfast.Blockchain.from(chain), beacon: holdfast.Beacon.from({ ...honestBeacon, ...methods }, options),
    evaluator: holdfast.Signer.generate(), folder: path.join(temporaryFolder(t), 'vdf'),
  });
}

test('a beacon in JavaScript: its rounds are in y, and one that lies, fails or hangs is an error', async (t) => {
  const asked = [];
  const clock = await clockWithBeacon(t, {
    randomness: (round) => { asked.push(round); return honestBeacon.randomness(round); },
  });
  const one = await clock.at(1);
  const two = await clock.at(2);
  assert.notDeepEqual(one.y, two.y);
  assert.ok(asked.every((round) => typeof round === 'bigint' && round >= 1n));
  const network = quickNetwork({ beacon_key: Buffer.alloc(32, 0xbe), beacon_genesis_s: 0 });
  const round = asked[0];
  assert.deepEqual(one.input, holdfast.Vdf.input(network, 1, one.hash, { round, randomness: roundValue(round) }));
  await clock.close();

  const cases = [
    [{ verify: () => false }, ['refused', 'unavailable']],
    [{ randomness: () => null }, ['unavailable']],
    [{ randomness: () => ({ randomness: Buffer.alloc(31), proof: Buffer.alloc(0) }) }, ['unavailable']],
    [{ randomness: () => { throw new Error('the relay is down'); } }, ['unavailable']],
    [{ randomness: () => new Promise(() => {}) }, ['timeout', 'unavailable']],
  ];
  for (const [methods, codes] of cases) {
    const bad = await clockWithBeacon(t, methods);
    await assert.rejects(bad.at(1), (error) => {
      assert.ok(error instanceof holdfast.HoldfastError, String(error));
      assert.ok(codes.includes(error.code), `${error.code}: ${error.message}`);
      return true;
    });
    await bad.close();
  }
});

test('a clock, a prover and records of another network are refused', async (t) => {
  const { network, chain, manager, registration, stored, signer } = job;
  const other = quickNetwork({ name: 'another' });
  const folder = temporaryFolder(t);
  const hostChain = holdfast.Blockchain.from(chain);
  const clock = await holdfast.Clock.open(other, { chain: hostChain, folder: path.join(folder, 'vdf') });
  await assert.rejects(
    holdfast.Aggregator.open(network, { chain: hostChain, clock, registry: path.join(folder, 'registry') }),
    (error) => ['invalid-argument', 'refused'].includes(error.code));
  await clock.close();
  const records = path.join(folder, 'records');
  const prover = await holdfast.Prover.open(other, signer, records);
  await assert.rejects(prover.add(stored.replica), holdfast.HoldfastError);
  await assert.rejects(prover.noteRegistration(registration), { code: 'refused' });
  await assert.rejects(manager.aggregator.advance([prover]),
    (error) => ['invalid-argument', 'refused'].includes(error.code));
  await prover.close();
  await assert.rejects(holdfast.Prover.open(network, signer, records), { code: 'refused' });
});
