// Bonds, checkpoints, possession and evidence over real blocks, and what each call costs.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { deploy, hex, plain, reasonOf, sha256, tagged, u64 } from './support.mjs';
import { largestCompact } from './largest.mjs';
import {
  accuse, blockAt, checkpoint, compactProof, contradiction, evidence, falseOpening, heightOf, lag, linkOf, needBalance,
  newKey, openBond, ordered, receipt, registerChain, sent, spacing, startWorld, terms, tip,
} from './world.mjs';

let w;
const gas = {};
const bondsMade = [];
before(async () => { w = await startWorld(); gas.openNetwork = w.gasOfOpening; });
after(async () => {
  await w?.node.stop();
  const lines = Object.entries(gas).map(([name, used]) => `${name}: ${used}`);
  console.log(`gas of each call\n${lines.join('\n')}`);
});

/** A height whose checkpoint can be submitted now. */
async function checkpointHeight() {
  await w.node.mine(lag + spacing + 3);
  const height = Math.floor(((await tip(w)) - lag - 2) / spacing) * spacing;
  return { height, blockHash: await blockAt(w, height) };
}
const submitter = async (index) => {
  const bond = await openBond(w, w.node.signers[index], 3, terms.submitterBond);
  bondsMade.push(bond.id);
  return bond;
};
const as = (bond) => w.holdfast.connect(bond.signer);
const statement = (bond, where, digest) => checkpoint(w, { ...where, digest, key: bond.key, bondId: bond.id });

test('a chain proves its possession over an accepted checkpoint, and its listener hears of it', async () => {
  const listener = await deploy(w.node.signers[0], 'Hostile');
  const a1 = randomBytes(32);
  const [owner] = w.node.signers;
  const chain = await registerChain(w, owner, { listener: listener.target });
  bondsMade.push(chain.bondId);
  gas.register = chain.receipt.gasUsed;
  assert.equal(await listener.calls(), 1n);
  assert.equal(await reasonOf(w.holdfast.register.staticCall(...chain.arguments_)), 'duplicate');

  // Heights h and c, and the digests between them, end in a checkpoint at or above c.
  const where = await checkpointHeight();
  const h = where.height - lag;
  const y = randomBytes(32);
  let yc;
  do yc = randomBytes(32); while (tagged('compact', w.networkId, yc, chain.id)[1] < 16);
  const blockHash = await blockAt(w, h);
  const made = linkOf(w, chain, { height: h, blockHash, y });
  const heights = [heightOf(w, { height: h, blockHash, y, previous: a1, chainId: chain.id, link: made.link })];
  for (let height = h + 1; height <= where.height; height++) {
    heights.push(heightOf(w, {
      height, blockHash: await blockAt(w, height), y: height === where.height ? yc : randomBytes(32), previous: heights.at(-1).digest,
    }));
  }
  const bond = await submitter(1);
  gas.openBond = bond.receipt.gasUsed;
  const body = statement(bond, where, heights.at(-1).digest);
  gas.submitCheckpoint = (await sent(as(bond).submitCheckpoint(w.deployment, body))).gasUsed;
  assert.equal(await reasonOf(w.holdfast.acceptCheckpoint.staticCall(w.deployment, body)), 'too-early');
  await w.node.mine(terms.disputeBlocks);
  gas.acceptCheckpoint = (await sent(w.holdfast.acceptCheckpoint(w.deployment, body))).gasUsed;

  const down = heights.map((one) => one.header).reverse();
  const proof = compactProof(w, chain, made, heights[0], yc);
  const prove = () => w.holdfast.provePossession.staticCall(w.deployment, h, proof);
  assert.equal(await reasonOf(prove()), 'no-entropy');
  await sent(w.holdfast.showHeight(w.deployment, where.height, down[0]));
  gas['showHeight, 6 below'] = (await sent(w.holdfast.showHeight(w.deployment, where.height, Buffer.concat(down)))).gasUsed;
  gas.showPath = (await sent(w.holdfast.showPath(w.deployment, h, heights[0].path))).gasUsed;
  for (const offset of [10, 140, 210, 240, 500, 800, proof.length - 130, proof.length - 1]) {
    const bad = Buffer.from(proof);
    bad[offset] ^= 1;
    assert.notEqual(await reasonOf(w.holdfast.provePossession.staticCall(w.deployment, h, bad)), null, `byte ${offset}`);
  }
  gas.provePossession = (await sent(w.holdfast.provePossession(w.deployment, h, proof))).gasUsed;
  assert.equal(await listener.calls(), 2n);
  assert.equal(await reasonOf(prove()), 'duplicate');

  // Periods that pass without a proof are counted once each.
  assert.equal(await reasonOf(w.holdfast.noteMissed.staticCall(w.deployment, chain.id)), 'too-early');
  await w.node.mine(3 * terms.provingBlocks + 1);
  assert.equal(await w.holdfast.noteMissed.staticCall(w.deployment, chain.id), 3n);
  gas.noteMissed = (await sent(w.holdfast.noteMissed(w.deployment, chain.id))).gasUsed;
  assert.equal(await reasonOf(w.holdfast.noteMissed.staticCall(w.deployment, chain.id)), 'too-early');
});

test('the Merkle part of the largest compact proof: 2^20 chunks, 100,000 chains', async () => {
  // The chain is an argument of the stateless verifier, so its root can be made from the path.
  const id = randomBytes(32);
  const [y, blockHash, anchor] = [randomBytes(32), randomBytes(32), randomBytes(32)];
  const network = plain(await w.holdfast.networkOf(w.deployment));
  const made = largestCompact(w, { id, y, blockHash, anchor, height: 1000 });
  const call = [network, made.chain, made.header, made.digest, hex(made.yc), made.proof];
  await w.proofs.possession(...call);
  gas['compact proof of 2^20 chunks, Merkle part'] = await w.proofs.possession.estimateGas(...call);
});

test('ceilings: path 120,000, Merkle part of a compact proof 200,000, checkpoint 150,000', () => {
  assert.ok(gas.showPath <= 120_000n, `${gas.showPath}`);
  assert.ok(gas['compact proof of 2^20 chunks, Merkle part'] <= 200_000n, `${gas['compact proof of 2^20 chunks, Merkle part']}`);
  assert.ok(gas.submitCheckpoint <= 150_000n, `${gas.submitCheckpoint}`);
});

test('an Ed25519 verification costs less than 400,000 gas', async () => {
  const key = newKey();
  const s = key.sign(Buffer.alloc(32, 7));
  gas['Ed25519 verification'] = await w.judge.verify.estimateGas(hex(key.publicKey), hex(Buffer.alloc(32, 7)), hex(s.subarray(0, 32)), hex(s.subarray(32)));
  assert.ok(gas['Ed25519 verification'] < 400_000n, `${gas['Ed25519 verification']}`);
});

test('two links of one height cost the chain its bond; a tenth is the accuser\'s; once', async () => {
  const [, , owner, accuser] = w.node.signers;
  const chain = await registerChain(w, owner);
  bondsMade.push(chain.bondId);
  const blockHash = await blockAt(w, chain.height);
  const anchor = randomBytes(32);
  const [a, b] = ordered(randomBytes(32), randomBytes(32)).map((link) => receipt(w, chain, { link, height: chain.height, blockHash, anchor }));
  const body = evidence(1, Buffer.concat([chain.id, blockHash, a, b]));
  assert.equal(await reasonOf(accuse(w, accuser, body, { commitFirst: false })), 'commitment');
  const owedBefore = await w.holdfast.owed(accuser.address);
  gas['accuse, kind 1'] = (await accuse(w, accuser, body)).gasUsed;
  assert.equal((await w.holdfast.bonds(chain.bondId)).amount, 0n);
  assert.equal(await w.holdfast.owed(accuser.address) - owedBefore, terms.chainBond / 10n);
  assert.equal(await reasonOf(accuse(w, accuser, body)), 'already-settled');
  gas.withdraw = (await sent(w.holdfast.connect(accuser).withdraw(accuser.address))).gasUsed;
  assert.equal(await reasonOf(w.holdfast.connect(accuser).withdraw.staticCall(accuser.address)), 'nothing-owed');
});

test('an opening of another cell costs the chain its bond, judged by the block that the chain knows', async () => {
  const [, , owner, accuser] = w.node.signers;
  const chain = await registerChain(w, owner);
  bondsMade.push(chain.bondId);
  await w.node.mine(5);
  const blockHash = await blockAt(w, chain.height);
  const facts = { height: chain.height, blockHash, y: randomBytes(32) };
  const honest = falseOpening(w, chain, linkOf(w, chain, facts), 3);
  assert.equal(await reasonOf(accuse(w, accuser, honest)), 'no-offence');
  const elsewhere = falseOpening(w, chain, linkOf(w, chain, { ...facts, blockHash: randomBytes(32), lie: 3 }), 3);
  assert.equal(await reasonOf(accuse(w, accuser, elsewhere)), 'wrong-block');
  gas['accuse, kind 2'] = (await accuse(w, accuser, falseOpening(w, chain, linkOf(w, chain, { ...facts, lie: 3 }), 3))).gasUsed;
  assert.equal((await w.holdfast.bonds(chain.bondId)).amount, 0n);
});

test('a signed response of nothing costs the chain its bond, once y of its height is shown', async () => {
  const [, , owner, accuser] = w.node.signers;
  const chain = await registerChain(w, owner);
  bondsMade.push(chain.bondId);
  const where = await checkpointHeight();
  const y = randomBytes(32);
  const shown = heightOf(w, { ...where, y, previous: randomBytes(32) });
  const bond = await submitter(3);
  const body = statement(bond, where, shown.digest);
  await sent(as(bond).submitCheckpoint(w.deployment, body));
  const challenger = newKey();
  const challenge = Buffer.concat([chain.id, u64(where.height), where.blockHash, y, challenger.publicKey, randomBytes(32)]);
  const id = tagged('availability/challenge2', w.networkId, challenge);
  const response = Buffer.concat([id, chain.key.sign(tagged('availability/response', id, sha256()))]);
  const accusation = evidence(6, Buffer.concat([challenge, challenger.sign(id), response]));
  assert.equal(await reasonOf(accuse(w, accuser, accusation)), 'no-entropy');
  await w.node.mine(terms.disputeBlocks);
  await sent(w.holdfast.acceptCheckpoint(w.deployment, body));
  await sent(w.holdfast.showHeight(w.deployment, where.height, shown.header));
  gas['accuse, kind 6 (no chunks)'] = (await accuse(w, accuser, accusation)).gasUsed;
  assert.equal((await w.holdfast.bonds(chain.bondId)).amount, 0n);
});

test('a submitter who contradicts itself loses the bond, and its checkpoint is dropped', async () => {
  const bond = await submitter(4);
  const where = await checkpointHeight();
  const body = statement(bond, where, randomBytes(32));
  await sent(as(bond).submitCheckpoint(w.deployment, body));
  gas['accuse, kind 5'] = (await accuse(w, w.node.signers[5], contradiction(w, { ...where, key: bond.key, bondId: bond.id }))).gasUsed;
  await w.node.mine(terms.disputeBlocks + 1);
  assert.equal(await reasonOf(w.holdfast.acceptCheckpoint.staticCall(w.deployment, body)), 'bond');
  gas.dropCheckpoint = (await sent(w.holdfast.dropCheckpoint(w.deployment, body))).gasUsed;
});

test('a checkpoint that its key has not signed costs the bond', async () => {
  const bond = await submitter(4);
  const where = await checkpointHeight();
  const stranger = newKey();
  const good = statement(bond, where, randomBytes(32));
  const bad = checkpoint(w, { ...where, digest: good.subarray(40, 72), key: bond.key, bondId: bond.id }, stranger);
  await sent(as(bond).submitCheckpoint(w.deployment, bad));
  assert.equal(await reasonOf(w.holdfast.disputeSignature.staticCall(w.deployment, good)), 'unknown-checkpoint');
  gas.disputeSignature = (await sent(w.holdfast.connect(w.node.signers[5]).disputeSignature(w.deployment, bad))).gasUsed;
  assert.equal((await w.holdfast.bonds(bond.id)).amount, 0n);
  const other = await submitter(6);
  const held = statement(other, where, randomBytes(32));
  await sent(as(other).submitCheckpoint(w.deployment, held));
  assert.equal(await reasonOf(w.holdfast.disputeSignature.staticCall(w.deployment, held)), 'no-offence');
});

test('a contested checkpoint is not accepted; the digest shown from a later one decides who loses the bond', async () => {
  const [liar, honest] = [await submitter(4), await submitter(6)];
  const where = await checkpointHeight();
  const right = heightOf(w, { ...where, y: randomBytes(32), previous: randomBytes(32) });
  const lie = statement(liar, where, randomBytes(32));
  const truth = statement(honest, where, right.digest);
  await sent(as(liar).submitCheckpoint(w.deployment, lie));
  assert.equal(await reasonOf(as(honest).submitCheckpoint.staticCall(w.deployment, truth)), 'duplicate');
  gas.contestCheckpoint = (await sent(as(honest).contestCheckpoint(w.deployment, lie, truth))).gasUsed;
  await w.node.mine(terms.disputeBlocks + 1);
  assert.equal(await reasonOf(w.holdfast.acceptCheckpoint.staticCall(w.deployment, lie)), 'contested');
  // Engaged on both sides: neither bond starts another one meanwhile.
  const next = await checkpointHeight();
  assert.equal(await reasonOf(as(liar).submitCheckpoint.staticCall(w.deployment, statement(liar, next, randomBytes(32)))), 'engaged');
  const third = await submitter(7);
  const chainUp = [right];
  for (let height = where.height + 1; height <= next.height; height++) {
    chainUp.push(heightOf(w, { height, blockHash: await blockAt(w, height), y: randomBytes(32), previous: chainUp.at(-1).digest }));
  }
  const later = statement(third, next, chainUp.at(-1).digest);
  await sent(as(third).submitCheckpoint(w.deployment, later));
  await w.node.mine(terms.disputeBlocks + 1);
  await sent(w.holdfast.acceptCheckpoint(w.deployment, later));
  await sent(w.holdfast.showHeight(w.deployment, next.height, Buffer.concat(chainUp.map((one) => one.header).reverse())));
  assert.equal(await reasonOf(w.holdfast.refuteCheckpoint.staticCall(w.deployment, truth)), 'no-offence');
  gas.refuteCheckpoint = (await sent(w.holdfast.refuteCheckpoint(w.deployment, lie))).gasUsed;
  assert.equal((await w.holdfast.bonds(liar.id)).amount, 0n);
  gas.disengage = (await sent(w.holdfast.disengage(w.deployment, truth))).gasUsed;
  assert.equal((await w.holdfast.bonds(honest.id)).engagedUntil, 0n);
});

test('a checkpoint of the last moment can be contested in all of its window, and has a new one when that is dropped', async () => {
  const [liar, honest] = [await submitter(4), await submitter(6)];
  const where = await checkpointHeight();
  await w.node.mine(where.height + 256 - (await tip(w)) - 2); // the chain forgets the block in two more
  const lie = statement(liar, where, randomBytes(32));
  await sent(as(liar).submitCheckpoint(w.deployment, lie));
  await w.node.mine(terms.disputeBlocks - 2);
  const truth = statement(honest, where, randomBytes(32));
  const elsewhere = checkpoint(w, { ...where, blockHash: randomBytes(32), digest: randomBytes(32), key: honest.key, bondId: honest.id });
  assert.equal(await reasonOf(as(honest).contestCheckpoint.staticCall(w.deployment, lie, elsewhere)), 'wrong-block');
  await sent(as(honest).contestCheckpoint(w.deployment, lie, truth));
  // The contest is given up: its bond leaves after the delay, and the lie may be contested anew.
  await sent(as(honest).giveNotice(honest.id));
  await w.node.mine(terms.releaseBlocks + 1);
  await sent(as(honest).releaseBond(honest.id));
  await sent(w.holdfast.dropCheckpoint(w.deployment, truth));
  assert.equal(await reasonOf(w.holdfast.acceptCheckpoint.staticCall(w.deployment, lie)), 'too-early');
  const third = await submitter(7);
  const again = statement(third, where, randomBytes(32));
  assert.equal(await reasonOf(as(third).contestCheckpoint.staticCall(w.deployment, lie, again)), null);
});

test('a bond leaves after the delay, once, to its owner alone', async () => {
  const bond = await openBond(w, w.node.signers[8], 2, terms.challengerBond + 5n);
  bondsMade.push(bond.id);
  assert.equal(await reasonOf(w.holdfast.giveNotice.staticCall(bond.id)), 'bond');
  gas.giveNotice = (await sent(as(bond).giveNotice(bond.id))).gasUsed;
  assert.equal(await reasonOf(as(bond).giveNotice.staticCall(bond.id)), 'already-removed');
  assert.equal(await reasonOf(as(bond).releaseBond.staticCall(bond.id)), 'too-early');
  await w.node.mine(terms.releaseBlocks);
  assert.equal(await reasonOf(w.holdfast.releaseBond.staticCall(bond.id)), 'bond');
  gas.releaseBond = (await sent(as(bond).releaseBond(bond.id))).gasUsed;
  assert.equal(await reasonOf(as(bond).releaseBond.staticCall(bond.id)), 'bond');
  assert.equal(await w.holdfast.owed(bond.signer.address), terms.challengerBond + 5n);
});

test('what the contract holds is somebody\'s, to the unit', () => needBalance(w, bondsMade, w.node.signers.map((s) => s.address)));
