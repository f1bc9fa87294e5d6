// Random calls against a model of the ledger: what goes through, who holds what, who is owed what.
// HOLDFAST_CALLS is how many (default 200), HOLDFAST_SEED repeats a run.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { bytes, hex } from './support.mjs';
import {
  accuse, blockAt, checkpoint, contradiction, half, lag, newKey, registerChain, sent, spacing, startWorld, terms, tip,
} from './world.mjs';

const seed = process.env.HOLDFAST_SEED ?? randomBytes(8).toString('hex');
const calls = Number(process.env.HOLDFAST_CALLS ?? 200);
let drawn = 0;
const draw = (n) => createHash('sha256').update(`${seed}/${drawn++}`).digest().readUInt32LE(0) % n;
const pick = (list) => list[draw(list.length)];

test(`${calls} random calls agree with a model of the ledger (seed ${seed})`, { timeout: 3_600_000 }, async () => {
  const w = await startWorld();
  try {
    const actors = w.node.signers.slice(0, 5);
    const owed = new Map(actors.map((a) => [a.address, 0n]));
    const bonds = [];
    const submissions = new Map(); // height: one or two of { bond, body, until, signed }
    const accepted = new Set();
    const accusedOf = new Set();
    let burnt = 0n;
    const gasLimit = 3_000_000;
    const tally = { through: 0, refused: 0 };

    /** Makes a call in a block of its own and compares its fate with the model's. */
    const expect = async (what, should, promise) => {
      const went = await sent(promise).then(() => true, (error) => {
        if (error.code !== 'CALL_EXCEPTION') throw error;
        return false;
      });
      assert.equal(went, should, `${what} (seed ${seed})`);
      tally[went ? 'through' : 'refused']++;
      return went;
    };
    const take = (bond, accuser) => {
      const reward = bond.amount / 10n;
      owed.set(accuser.address, owed.get(accuser.address) + reward);
      burnt += bond.amount - reward;
      bond.amount = 0n;
    };
    const drop = (height, index, now) => {
      const pair = submissions.get(height);
      pair.splice(index, 1);
      if (pair.length === 0) submissions.delete(height);
      else pair[0].until = now + terms.disputeBlocks;
    };
    const from = (actor) => w.holdfast.connect(actor);
    const open = bonds; // all that ever were: calls on gone ones must fail

    const operations = {
      async openBond() {
        const actor = pick(actors);
        const role = 2 + draw(2);
        const least = role === 2 ? terms.challengerBond : terms.submitterBond;
        const value = least + BigInt(draw(5)) - 1n;
        const again = draw(4) === 0 ? bonds.filter((b) => b.role === role) : [];
        const key = again.length > 0 ? pick(again).key : newKey();
        const salt = hex(randomBytes(32));
        const id = await w.holdfast.bondIdOf(w.deployment, actor.address, salt);
        const s = key.sign(bytes(id));
        const taken = bonds.some((b) => b.role === role && b.key === key && b.amount > 0n);
        if (await expect('openBond', value >= least && !taken,
          from(actor).openBond(w.deployment, role, hex(key.publicKey), salt, half(s, 0), half(s, 1), { value, gasLimit }))) {
          for (const b of bonds) if (b.role === role && b.key === key) b.current = false;
          bonds.push({ id, key, actor, role, amount: value, releaseAt: 0, engagedUntil: 0, current: true });
        }
      },
      async registerChain() {
        const actor = pick(actors);
        const chain = await registerChain(w, actor);
        bonds.push({ id: chain.bondId, key: chain.key, actor, role: 1, amount: terms.chainBond, releaseAt: 0, engagedUntil: 0, current: true });
      },
      async giveNotice() {
        const bond = pick(open);
        const actor = draw(4) === 0 ? pick(actors) : bond.actor;
        const now = (await tip(w)) + 1;
        if (await expect('giveNotice', actor === bond.actor && bond.amount > 0n && bond.releaseAt === 0, from(actor).giveNotice(bond.id, { gasLimit }))) {
          bond.releaseAt = now + terms.releaseBlocks;
        }
      },
      async releaseBond() {
        const leaving = bonds.filter((b) => b.releaseAt > 0);
        const bond = leaving.length > 0 && draw(3) > 0 ? pick(leaving) : pick(open);
        const actor = draw(5) === 0 ? pick(actors) : bond.actor;
        const now = (await tip(w)) + 1;
        const should = actor === bond.actor && bond.amount > 0n && bond.releaseAt > 0 && now >= bond.releaseAt && bond.engagedUntil < now;
        if (await expect('releaseBond', should, from(actor).releaseBond(bond.id, { gasLimit }))) {
          owed.set(actor.address, owed.get(actor.address) + bond.amount);
          bond.amount = 0n;
        }
      },
      async withdraw() {
        const actor = pick(actors);
        if (await expect('withdraw', owed.get(actor.address) > 0n, from(actor).withdraw(actor.address, { gasLimit }))) owed.set(actor.address, 0n);
      },
      async submit() {
        const submitters = bonds.filter((b) => b.role === 3);
        if (submitters.length === 0) return;
        const live = submitters.filter((b) => b.amount > 0n);
        const bond = live.length > 0 && draw(4) > 0 ? pick(live) : pick(submitters);
        const now = (await tip(w)) + 1;
        const height = Math.floor((now - lag - 1) / spacing) * spacing;
        if (height <= 0) return;
        const signed = draw(5) > 0;
        const body = checkpoint(w, {
          height, blockHash: await blockAt(w, height), digest: randomBytes(32), key: bond.key, bondId: bond.id,
        }, signed ? bond.key : newKey());
        const pair = submissions.get(height) ?? [];
        const able = bond.amount > 0n && bond.current && bond.releaseAt === 0 && bond.engagedUntil < now && !accepted.has(height);
        const made = { bond, body, until: now + terms.disputeBlocks, signed };
        if (pair.length === 0) {
          if (await expect('submitCheckpoint', able, from(bond.actor).submitCheckpoint(w.deployment, body, { gasLimit }))) submissions.set(height, [made]);
          return;
        }
        const [standing] = pair;
        const should = able && pair.length === 1 && now <= standing.until && standing.bond.key !== bond.key && standing.bond.amount > 0n;
        if (await expect('contestCheckpoint', should, from(bond.actor).contestCheckpoint(w.deployment, standing.body, body, { gasLimit }))) {
          pair.push(made);
          standing.bond.engagedUntil = bond.engagedUntil = now + terms.releaseBlocks;
        }
      },
      async accept() {
        if (submissions.size === 0) return;
        const height = pick([...submissions.keys()]);
        const pair = submissions.get(height);
        const now = (await tip(w)) + 1;
        const should = pair.length === 1 && now > pair[0].until && pair[0].bond.amount > 0n && pair[0].bond.current;
        if (await expect('acceptCheckpoint', should, w.holdfast.acceptCheckpoint(w.deployment, pair[0].body, { gasLimit }))) {
          accepted.add(height);
          submissions.delete(height);
        }
      },
      async drop() {
        if (submissions.size === 0) return;
        const height = pick([...submissions.keys()]);
        const pair = submissions.get(height);
        const index = draw(pair.length);
        const now = (await tip(w)) + 1;
        const gone = pair[index].bond.amount === 0n || !pair[index].bond.current;
        if (await expect('dropCheckpoint', gone, w.holdfast.dropCheckpoint(w.deployment, pair[index].body, { gasLimit }))) drop(height, index, now);
      },
      async disputeSignature() {
        if (submissions.size === 0) return;
        const height = pick([...submissions.keys()]);
        const pair = submissions.get(height);
        const index = draw(pair.length);
        const { bond, body, signed } = pair[index];
        const actor = pick(actors);
        const now = (await tip(w)) + 1;
        if (await expect('disputeSignature', !signed && bond.amount > 0n && bond.current, from(actor).disputeSignature(w.deployment, body, { gasLimit }))) {
          drop(height, index, now);
          take(bond, actor);
        }
      },
      async accuse() {
        const submitters = bonds.filter((b) => b.role === 3);
        if (submitters.length === 0) return;
        const bond = pick(submitters);
        const actor = pick(actors);
        const height = draw(3) * spacing;
        const body = contradiction(w, { height, blockHash: await blockAt(w, height), key: bond.key, bondId: bond.id });
        const offence = `${hex(bond.key.publicKey)}/${height}`;
        const current = bonds.find((b) => b.role === 3 && b.key === bond.key && b.current);
        const should = !accusedOf.has(offence) && current.amount > 0n;
        const went = await accuse(w, actor, body).then(() => true, (error) => {
          if (error.code !== 'CALL_EXCEPTION') throw error;
          return false;
        });
        assert.equal(went, should, `accuse (seed ${seed})`);
        tally[went ? 'through' : 'refused']++;
        if (!went) return;
        accusedOf.add(offence);
        take(current, actor);
      },
      async mine() { await w.node.mine(1 + draw(draw(6) === 0 ? 70 : 8)); },
    };

    /** Of the bonds all that are held, or the newest alone; of the sums everything. */
    const agree = async (some) => {
      for (const b of some) assert.equal((await w.holdfast.bonds(b.id)).amount, b.amount, `bond (seed ${seed})`);
      for (const [address, amount] of owed) assert.equal(await w.holdfast.owed(address), amount, `owed (seed ${seed})`);
      assert.equal(await w.holdfast.burnt(), burnt);
      const sum = [...bonds.map((b) => b.amount), ...owed.values()].reduce((a, b) => a + b, burnt);
      assert.equal(await w.node.provider.getBalance(w.holdfast.target), sum, `balance (seed ${seed})`);
    };
    await w.node.mine(20);
    for (let i = 0; i < 4; i++) await operations.openBond();
    while (bonds.length === 0) await operations.openBond();
    const weighted = ['openBond', 'openBond', 'registerChain', 'giveNotice', 'releaseBond', 'releaseBond', 'withdraw', 'submit', 'submit',
      'submit', 'accept', 'accept', 'drop', 'disputeSignature', 'accuse', 'mine', 'mine'];
    for (let i = 1; i <= calls; i++) {
      await operations[pick(weighted)]();
      if (i % 100 === 0) {
        await agree(bonds.slice(-30));
        console.log(`${i} calls agree`);
        // The gone ones stay gone; forgetting most of them keeps long runs quick.
        const gone = bonds.filter((b) => b.amount === 0n && !b.current);
        for (const b of gone.slice(20)) bonds.splice(bonds.indexOf(b), 1);
      }
    }
    await agree(bonds);
    assert.ok(tally.through > calls / 10 && tally.refused > calls / 20, JSON.stringify(tally));
  } finally {
    await w.node.stop();
  }
});
