// Every published vector judged on chain as off chain: signatures, registrations, paths, compact proofs, evidence.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { altered, bytes, deploy, hex, noChain, plain, reasonOf, startNode, vectors, zero } from './support.mjs';

let node;
let judge;
let proofs;
before(async () => {
  node = await startNode();
  judge = await deploy(node.signers[0], 'Judge');
  proofs = await deploy(node.signers[0], 'Proofs');
});
after(() => node.stop());

const halves = (signature) => [hex(bytes(signature).subarray(0, 32)), hex(bytes(signature).subarray(32))];

test('signatures: the rule of the protocol decides, not a library', async () => {
  const { signed, edges, keys } = vectors('signatures').cases;
  for (const c of signed) {
    assert.equal(await judge.verify(`0x${c.public_key}`, `0x${c.message}`, ...halves(c.signature)), true);
  }
  for (const c of edges) {
    assert.equal(await judge.verify(`0x${c.public_key}`, `0x${c.message}`, ...halves(c.signature)), c.valid, c.why);
  }
  for (const c of keys) assert.equal(await judge.acceptable(`0x${c.public_key}`), c.acceptable, c.why);
});

test('registrations: what is registered, and every refusal that needs no chain', async () => {
  for (const c of vectors('seal').cases.replicas) {
    const network = plain(await judge.network(`0x${c.network ?? vectors('seal').network}`));
    const said = await judge.registration(network, `0x${c.registration}`);
    assert.equal(said.chain.id, `0x${c.chain_id}`);
    assert.equal(said.chain.replicaId, `0x${c.replica_id}`);
    for (const refusal of c.refused_registrations ?? []) {
      const body = altered(bytes(c.registration), refusal);
      assert.notEqual(await reasonOf(judge.registration(network, hex(body))), null, refusal.why);
    }
  }
});

test('paths: every one leads to its digest, every altered one is refused', async () => {
  const file = vectors('hierarchy');
  let checked = 0;
  for (const c of file.cases) {
    const network = plain(await judge.network(`0x${c.network ?? file.network}`));
    const header = {
      height: c.block.height, blockHash: `0x${c.block.block_hash}`, y: `0x${c.block.y}`, previous: `0x${c.previous_global}`,
    };
    for (const p of c.paths) {
      const shown = await proofs.path(network, header, `0x${c.global}`, `0x${p.body}`);
      assert.equal(Number(shown.total), c.total_chains);
      for (const refusal of p.refused) {
        const body = hex(altered(bytes(p.body), refusal));
        assert.notEqual(await reasonOf(proofs.path(network, header, `0x${c.global}`, body)), null, refusal.why);
        checked++;
      }
    }
  }
  assert.ok(checked > 50);
});

test('compact proofs: Merkle parts and reveals of every link; what else is refused off chain is refused here', async () => {
  const file = vectors('links');
  // These bytes are the signature's, which the Merkle part does not read: the link stands in the digest.
  const ofSignature = ({ at, remove, insert }) => at >= 72 && at + Math.max(remove, insert.length / 2) <= 136;
  const counts = { held: 0, full: 0, refused: 0, unread: 0 };
  for (const c of file.cases.chains) {
    const network = plain(await judge.network(`0x${c.network ?? file.network}`));
    const { chain: registered } = await judge.registration(network, `0x${c.registration}`);
    const chain = plain(registered);
    for (const h of c.heights.filter((height) => height.compact)) {
      const header = {
        height: h.block.height, blockHash: `0x${h.block.block_hash}`, y: `0x${h.block.y}`, previous: `0x${h.previous_global}`,
      };
      const verdict = (body) => reasonOf(proofs.possession(network, chain, header, `0x${h.global}`, `0x${h.next_y}`, hex(body)));
      const reason = await verdict(bytes(h.compact));
      assert.ok(reason === null || reason === 'full-required', reason);
      counts[reason === null ? 'held' : 'full']++;
      for (const refusal of h.refused_compact ?? []) {
        const changed = await verdict(altered(bytes(h.compact), refusal));
        if (ofSignature(refusal)) {
          assert.equal(changed, reason, refusal.why);
          counts.unread++;
        } else {
          assert.ok(changed !== null && changed !== 'full-required', refusal.why);
          counts.refused++;
        }
      }
    }
  }
  assert.ok(counts.held > 5 && counts.refused > 50 && counts.unread > 0, JSON.stringify(counts));
});

test('evidence of kinds 1, 2, 5, 6, 9 and 10: the verdict of every vector and of every altered one', async () => {
  const file = vectors('evidence');
  const { known, evidence } = file.cases;
  const network = plain(await judge.network(`0x${file.network}`));
  const { chain: registered } = await judge.registration(network, `0x${known.chain.registration}`);
  const chain = plain(registered);
  chain.revealIndex = known.last_reveal.i;
  chain.reveal = `0x${known.last_reveal.reveal}`;
  const blocks = new Map(known.blocks.map((b) => [BigInt(b.height), b]));
  const judged = async (body) => {
    let about;
    const outcome = await reasonOf((async () => { about = await judge.accused(hex(body)); })());
    if (outcome !== null) return { reason: outcome };
    const [, offender, height] = about;
    const block = blocks.get(height);
    const facts = {
      network, chain: offender === chain.id ? chain : noChain,
      blockHash: block ? `0x${block.block_hash}` : zero, y: block?.y ? `0x${block.y}` : zero,
    };
    let id = null;
    const reason = await reasonOf((async () => { id = await judge.judge(facts, hex(body)); })());
    return { reason, id, facts };
  };
  const counts = {};
  for (const c of evidence) {
    const body = bytes(c.body);
    const verdict = await judged(body);
    if ([3, 4, 7, 8].includes(body[0])) {
      assert.equal(verdict.reason, 'kind', c.offence);
      continue;
    }
    assert.equal(verdict.reason, null, c.offence);
    assert.equal(verdict.id, `0x${c.offence_id}`);
    for (const refusal of c.refused ?? []) {
      assert.notEqual((await judged(altered(body, refusal))).reason, null, `${c.offence}: ${refusal.why}`);
    }
    const gas = await judge.judge.estimateGas(verdict.facts, hex(body));
    console.log(`gas of judging kind ${body[0]}, ${body.length} bytes: ${gas}`);
    assert.ok(gas < 2_000_000n, c.offence);
    counts[body[0]] = (counts[body[0]] ?? 0) + 1 + (c.refused ?? []).length;
  }
  assert.deepEqual(Object.keys(counts), ['1', '2', '5', '6', '9', '10']);
});
