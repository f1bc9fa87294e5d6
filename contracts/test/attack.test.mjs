// Reentrancy and griefing: what a hostile contract or neighbour tries, and what it gets.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { bytes, deploy, hex, reasonOf } from './support.mjs';
import {
  accuse, blockAt, checkpoint, contradiction, half, lag, needBalance, newKey, openBond, registerChain, sent, spacing, startWorld, terms, tip,
} from './world.mjs';

let w;
let hostile;
before(async () => {
  w = await startWorld();
  hostile = await deploy(w.node.signers[9], 'Hostile');
});
after(() => w?.node.stop());

const call = (name, ...args) => w.holdfast.interface.encodeFunctionData(name, args);

/** A bond whose owner is the hostile contract. */
async function hostileBond(role, value) {
  const salt = hex(randomBytes(32));
  const key = newKey();
  const id = await w.holdfast.bondIdOf(w.deployment, hostile.target, salt);
  const s = key.sign(bytes(id));
  await sent(hostile.run(w.holdfast.target, call('openBond', w.deployment, role, hex(key.publicKey), salt, half(s, 0), half(s, 1)), { value }));
  return { id, key };
}

test('an owner that is paid and calls back is paid once', async () => {
  const { id } = await hostileBond(2, terms.challengerBond);
  const honest = await openBond(w, w.node.signers[1], 2, terms.challengerBond);
  await sent(hostile.run(w.holdfast.target, call('giveNotice', id)));
  await w.node.mine(terms.releaseBlocks);
  await sent(hostile.run(w.holdfast.target, call('releaseBond', id)));
  await sent(hostile.arm(w.holdfast.target, call('withdraw', hostile.target), false));
  const before_ = await hostile.calls();
  await sent(hostile.run(w.holdfast.target, call('withdraw', hostile.target)));
  assert.equal(await hostile.calls() - before_, 1n);
  assert.equal(await hostile.successes(), 0n);
  assert.equal(await w.node.provider.getBalance(hostile.target), terms.challengerBond);
  assert.equal((await w.holdfast.bonds(honest.id)).amount, terms.challengerBond);
  await needBalance(w, [id, honest.id], [hostile.target]);
});

test('a listener that calls back, burns its gas or answers with a megabyte stops nothing', async () => {
  for (const [target, payload, burns] of [
    [w.holdfast.target, call('noteMissed', w.deployment, randomBytes(32)), false],
    [w.holdfast.target, call('withdraw', hostile.target), false],
    ['0x0000000000000000000000000000000000000000', '0x', true],
  ]) {
    await sent(hostile.arm(target, payload, burns));
    const successes = await hostile.successes();
    const chain = await registerChain(w, w.node.signers[2], { listener: hostile.target });
    await w.node.mine(3 * terms.provingBlocks);
    await sent(w.holdfast.noteMissed(w.deployment, chain.id));
    await sent(w.holdfast.connect(w.node.signers[2]).giveNotice(chain.bondId));
    await w.node.mine(terms.releaseBlocks);
    await sent(w.holdfast.connect(w.node.signers[2]).releaseBond(chain.bondId));
    assert.equal((await w.holdfast.bonds(chain.bondId)).amount, 0n);
    assert.equal(await hostile.successes(), successes);
  }
});

test('a caller cannot keep a chain\'s listener from hearing by giving too little gas', async () => {
  await sent(hostile.arm('0x0000000000000000000000000000000000000000', '0x', false));
  const chain = await registerChain(w, w.node.signers[2], { listener: hostile.target });
  await w.node.mine(3 * terms.provingBlocks);
  const calls = await hostile.calls();
  let succeeded = 0;
  for (let gasLimit = 60_000; gasLimit <= 240_000; gasLimit += 20_000) {
    const went = await sent(w.holdfast.noteMissed(w.deployment, chain.id, { gasLimit })).then(() => true, () => false);
    if (!went) continue;
    succeeded++;
    assert.equal(await hostile.calls(), calls + 1n);
    break;
  }
  assert.equal(succeeded, 1);
});

test('somebody else\'s evidence cannot be brought first, nor a commitment copied', async () => {
  const bond = await openBond(w, w.node.signers[3], 3, terms.submitterBond);
  const body = contradiction(w, { height: 5, blockHash: await blockAt(w, 5), key: bond.key, bondId: bond.id });
  const thief = w.holdfast.connect(w.node.signers[4]);
  const owedBefore = await w.holdfast.owed(w.node.signers[4].address);
  assert.equal(await reasonOf(thief.accuse.staticCall(w.deployment, body, hex(randomBytes(32)))), 'commitment');
  await accuse(w, w.node.signers[5], body);
  assert.equal(await reasonOf(accuse(w, w.node.signers[4], body)), 'already-settled');
  assert.equal(await w.holdfast.owed(w.node.signers[4].address), owedBefore);
});

test('an accused who accuses himself keeps a tenth and no more', async () => {
  const [, , , , , , owner] = w.node.signers;
  const bond = await openBond(w, owner, 3, terms.submitterBond);
  const owedBefore = await w.holdfast.owed(owner.address);
  await accuse(w, owner, contradiction(w, { height: 5, blockHash: await blockAt(w, 5), key: bond.key, bondId: bond.id }));
  assert.equal(await w.holdfast.owed(owner.address) - owedBefore, terms.submitterBond / 10n);
  await sent(w.holdfast.connect(owner).giveNotice(bond.id)).then(() => assert.fail('nothing is left'), () => null);
});

test('nobody bonds another\'s key, takes its bond id, or submits for it', async () => {
  const key = newKey();
  const [mine, other] = [w.node.signers[7], w.node.signers[8]];
  const salt = hex(randomBytes(32));
  const id = await w.holdfast.bondIdOf(w.deployment, mine.address, salt);
  const s = key.sign(bytes(id));
  const args = [w.deployment, 3, hex(key.publicKey), salt, half(s, 0), half(s, 1), { value: terms.submitterBond }];
  assert.equal(await reasonOf(w.holdfast.connect(other).openBond.staticCall(...args)), 'signature');
  await sent(w.holdfast.connect(mine).openBond(...args));
  assert.equal(await reasonOf(w.holdfast.connect(mine).openBond.staticCall(...args)), 'duplicate');
  const height = Math.floor((await tip(w)) / spacing) * spacing;
  await w.node.mine(lag + 2);
  const body = checkpoint(w, { height, blockHash: await blockAt(w, height), digest: randomBytes(32), key, bondId: id });
  assert.equal(await reasonOf(w.holdfast.connect(other).submitCheckpoint.staticCall(w.deployment, body)), 'bond');
  assert.equal(await reasonOf(w.holdfast.connect(mine).submitCheckpoint.staticCall(w.deployment, body)), null);
});

test('a network cannot be squatted: other terms are another deployment', async () => {
  const network = await w.holdfast.networkOf(w.deployment);
  assert.equal(network.id, hex(w.networkId));
  const { parameters } = await import('./world.mjs');
  const { body } = parameters();
  assert.equal(await reasonOf(w.holdfast.openNetwork.staticCall(body, terms)), 'duplicate');
  const cheap = { ...terms, submitterBond: 1n };
  assert.notEqual(await w.holdfast.openNetwork.staticCall(body, cheap), w.deployment);
  for (const bad of [{ releaseBlocks: 19 }, { releaseBlocks: 59 }, { chainBond: 0n }, { provingBlocks: 0 }, { disputeBlocks: 0 }]) {
    assert.equal(await reasonOf(w.holdfast.openNetwork.staticCall(body, { ...terms, ...bad })), 'terms');
  }
});

test('a wrong block, height, length or spacing of a checkpoint is refused, and one too old to compare', async () => {
  const bond = await openBond(w, w.node.signers[7], 3, terms.submitterBond);
  const holdfast = w.holdfast.connect(bond.signer);
  await w.node.mine(300);
  const newest = Math.floor(((await tip(w)) - lag - 2) / spacing) * spacing;
  const verdict = async (height, change = {}) => {
    const blockHash = await blockAt(w, Math.min(height, await tip(w)));
    const body = checkpoint(w, { height, blockHash, digest: randomBytes(32), key: bond.key, bondId: bond.id, ...change });
    return reasonOf(holdfast.submitCheckpoint.staticCall(w.deployment, body));
  };
  assert.equal(await verdict(newest), null);
  assert.equal(await verdict(newest + 1), 'height');
  assert.equal(await verdict(newest, { blockHash: randomBytes(32) }), 'wrong-block');
  assert.equal(await verdict(newest - 260), 'wrong-block');
  assert.equal(await verdict(newest + 2 * spacing), 'too-early');
  assert.equal(await reasonOf(holdfast.submitCheckpoint.staticCall(w.deployment, Buffer.alloc(207))), 'length');
});
