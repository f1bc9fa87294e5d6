'use strict';
// The whole path with a host in JavaScript: sealed, registered, linked, proven block after block,
// aggregated, and verified by somebody with public data alone; then the cheats.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test, before, after } = require('node:test');
const holdfast = require('holdfast');
const { runMainJob } = require('./world.js');

let job;
before(async () => {
  job = await runMainJob();
});
after(() => job?.end());

test('blocks are taken, links and proofs counted', async () => {
  const { manager, last } = job;
  assert.equal(last.totalChains, 1n);
  assert.equal(last.active, 1n);
  assert.equal(last.links, 1n);
  assert.ok(last.proofs >= 1n);
  const stats = await manager.getNetworkStats();
  assert.equal(stats.totalChains, 1);
  const { tip, closed } = await manager.aggregator.tip();
  assert.equal(tip, last.height);
  assert.ok(closed < tip);
  assert.equal(await manager.aggregator.behind(), 0n);
  assert.equal(await manager.processNetworkBlock(), null);
});

test('every proof is accepted by somebody with public data alone, and no flipped one', async () => {
  const { chainId, manager } = job;
  const verifier = await manager.verifier();
  const proofs = await job.allProofs();
  for (const { height, proof, kind } of proofs) {
    assert.equal(verifier.verifyCompactProof(proof), kind === 'compact');
    assert.equal(verifier.verifyFullProof(proof), kind === 'full');
    const report = await verifier.verifier.verify(proof);
    assert.deepEqual([report.accepted, report.reason, report.kind, report.height],
      [true, null, kind, height]);
    assert.deepEqual(report.chainId, chainId);
    for (let at = 2; at < proof.length; at += 97) {
      const flipped = Buffer.from(proof);
      flipped[at] ^= 1;
      const verdict = await verifier.verifier.verify(flipped).catch((error) => {
        assert.equal(error.code, 'not-found');  // of another chain or height: nothing known of it
        return { accepted: false, reason: error.code };
      });
      assert.equal(verdict.accepted, false);
      assert.equal(typeof verdict.reason, 'string');
    }
  }
  await verifier.close();
});

test('public data are written and read again', async () => {
  const { folder, network, chain, chainId, manager } = job;
  const verifier = await manager.verifier();
  await verifier.verifier.save(path.join(folder, 'public'));
  const again = await holdfast.ProofOfStorageVerifier.open({ folder: path.join(folder, 'public') });
  assert.deepEqual(again.verifier.chains, [chainId]);
  assert.deepEqual(again.verifier.network.id, network.id);
  const [{ proof, height }] = await job.allProofs();
  assert.ok(again.verifier.verifySync(proof).accepted);
  assert.deepEqual(again.verifier.height(height).blockHash, chain.hashOf(height));
});

test('commitments, compact and full proofs, and windows under the familiar names', async () => {
  const { prover, chainId, manager } = job;
  const verifier = await manager.verifier();
  const full = [];
  for (const { height, kind } of (await job.allProofs()).slice(0, 4)) {
    const request = { chainId, height };
    const commitment = await prover.generateCommitment(request);
    assert.ok(verifier.judge(commitment.receipt, 'receipt', { chainId }).accepted);
    full.push(await prover.createFullProof(request));
    assert.ok(verifier.verifyFullProof(full.at(-1)));
    if (kind === 'compact') {
      const compact = await prover.createCompactProof(request);
      assert.ok(verifier.verifyCompactProof(compact));
      assert.equal(verifier.verifyFullProof(compact), false);
      assert.equal(verifier.judge(compact, 'full').reason, 'kind');
    } else {
      await assert.rejects(prover.createCompactProof(request), { reason: 'full-required' });
    }
  }
  const { window, commitments } = prover.createProofWindow(full);
  assert.equal(commitments.length, 4);
  const judged = verifier.verifyProofWindow(window);
  assert.deepEqual([judged.accepted, judged.window.links], [true, 4n]);
  assert.deepEqual(judged.commitments, commitments);
});

test('a head of the operator, a path, and strangers at the door', async () => {
  const { chainId, manager } = job;
  const { closed } = await manager.aggregator.tip();
  const verifier = (await manager.verifier()).verifier;
  assert.ok(verifier.verifySync(await manager.aggregator.head(closed)).accepted);
  const chainPath = await manager.aggregator.path(chainId, closed);
  assert.ok(verifier.verifySync(chainPath, { height: closed }).accepted);
  const outcome = await manager.aggregator.submit(chainPath.subarray(0, 20), { peer: 'stranger' });
  assert.equal(outcome.accepted, false);
  assert.equal(typeof outcome.reason, 'string');
});

test('a challenge and its answer', async () => {
  const { prover, registration, chainId, manager } = job;
  const { tip } = await manager.aggregator.tip();
  const challenger = holdfast.Signer.generate();
  const verifier = await manager.verifier();
  const height = await manager.aggregator.height(tip);
  const challenge = await verifier.generateChallenge({
    challenger, chainId, height: tip, blockHash: height.blockHash, y: height.y, reveal: Buffer.alloc(32),
  });
  assert.equal(holdfast.objects.kind(challenge), 'challenge2');
  // Nobody registered this challenger: the prover ignores it, and says why.
  await prover.prover.onFinalBlock({ height: tip, blockHash: height.blockHash, y: height.y });
  await assert.rejects(prover.respondToChallenge(challenge, challenger.publicKey), (error) => {
    assert.ok(error instanceof holdfast.HoldfastError);
    assert.equal(error.code, 'refused');
    assert.equal(typeof error.reason, 'string');
    return true;
  });
  const audit = await verifier.auditProver({ registration, challenge, send: async () => Buffer.alloc(80) });
  assert.equal(audit.served, false);
  assert.equal(typeof audit.reason, 'string');
});

test('the original comes back, whole and in part', async () => {
  const { folder, network, stored, data } = job;
  const output = path.join(folder, 'back');
  await holdfast.unseal(network, stored.replica, output);
  assert.deepEqual(fs.readFileSync(output), data);
  assert.deepEqual(await holdfast.unsealRange(network, stored.replica, 1_000n, 50), data.subarray(0, 50));
  await assert.rejects(holdfast.unsealRange(network, stored.replica, 199_999, 2), { code: 'invalid-argument' });
  const info = await holdfast.inspectReplica(network, stored.replica);
  assert.deepEqual(info.replicaId, stored.replicaId);
  assert.equal(info.dataBytes, 200_000n);
});

test('a second call on a prover that works is refused, not mixed in', async () => {
  const { prover, chainId, manager } = job;
  const { place, chain: facts } = await manager.aggregator.linkFacts(chainId, 10n);
  const both = await Promise.allSettled(
    Array.from({ length: 8 }, () => prover.prover.link(place, [facts])));
  const good = both.filter((each) => each.status === 'fulfilled');
  assert.ok(good.length >= 1);
  for (const each of good) assert.deepEqual(each.value, good[0].value);
  for (const each of both.filter((one) => one.status === 'rejected')) assert.equal(each.reason.code, 'busy');
});
