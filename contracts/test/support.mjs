// What the tests share: a node of their own (anvil), deployed contracts, and the protocol's objects as far as the
// contracts are told them (docs/spec.md).
import { spawn } from 'node:child_process';
import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { ContractFactory, Interface, JsonRpcProvider, Wallet } from 'ethers';
import { build } from '../build.mjs';

export const contracts = await build();
const errors = new Interface([...contracts.Judge.abi, ...(contracts.Holdfast?.abi ?? [])].filter((e) => e.type === 'error'));

/** A fresh node with ten rich accounts; every transaction is a block of its own. */
export async function startNode() {
  // Port 0: the system gives one that no other node has.
  const child = spawn(new URL('../node_modules/.bin/anvil', import.meta.url).pathname, [
    '--port', '0', '--hardfork', 'prague', '--gas-limit', '60000000', '--accounts', '10',
  ], { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await new Promise((resolve, reject) => {
    let said = '';
    child.stdout.on('data', (piece) => {
      if (said === null) return; // it goes on talking: read, or it would stop
      said += piece;
      const found = said.match(/Listening on 127\.0\.0\.1:(\d+)/);
      if (!found) return;
      said = null;
      resolve(Number(found[1]));
    });
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`anvil ended with ${code}`)));
  });
  const provider = new JsonRpcProvider(`http://127.0.0.1:${port}`, 31337, {
    staticNetwork: true, cacheTimeout: -1, batchMaxCount: 1, pollingInterval: 5,
  });
  const accounts = await provider.send('eth_accounts', []);
  const signers = await Promise.all(accounts.map((account) => provider.getSigner(account)));
  return {
    provider,
    signers,
    mine: (blocks) => provider.send('anvil_mine', [`0x${blocks.toString(16)}`]),
    async stop() {
      provider.destroy();
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    },
  };
}

/**
 * The receipt of what was sent; an error where it was reverted. Asked for again and again: who waits for news of blocks
 * waits for ever where the one that matters was the last.
 */
export async function sent(call) {
  const transaction = await call;
  for (const end = Date.now() + 60_000; Date.now() < end; await setTimeout(5)) {
    if (await transaction.provider.getTransactionReceipt(transaction.hash)) return transaction.wait();
  }
  throw new Error(`${transaction.hash} is in no block after a minute`);
}

export async function deploy(signer, name, ...args) {
  const { abi, bytecode } = contracts[name];
  const contract = await new ContractFactory(abi, bytecode, signer).deploy(...args);
  await sent(contract.deploymentTransaction());
  return contract;
}

/** The reason of a Refused revert, or null where the call goes through; anything else is thrown on. */
export async function reasonOf(promise) {
  try {
    await promise;
    return null;
  } catch (error) {
    const data = error.data ?? error.info?.error?.data?.data ?? error.info?.error?.data;
    if (typeof data !== 'string' || data === '0x') throw error;
    const parsed = errors.parseError(data);
    if (!parsed || parsed.name !== 'Refused') throw error;
    return Buffer.from(parsed.args[0].slice(2), 'hex').toString('latin1').replace(/\0+$/, '');
  }
}

export const bytes = (hex) => Buffer.from(hex.replace(/^0x/, ''), 'hex');
export const hex = (buffer) => `0x${Buffer.from(buffer).toString('hex')}`;
export const u8 = (v) => Buffer.from([v]);
export const u32 = (v) => { const b = Buffer.alloc(4); b.writeUInt32LE(Number(v)); return b; };
export const u64 = (v) => { const b = Buffer.alloc(8); b.writeBigUInt64LE(BigInt(v)); return b; };
export const sha256 = (...parts) => createHash('sha256').update(Buffer.concat(parts)).digest();

/** H(tag; fields) of spec 0. */
export function tagged(tag, ...fields) {
  const t = Buffer.from(`holdfast/1/${tag}`);
  return sha256(u8(t.length), t, ...fields);
}

/** MTH of spec 0 over leaves' data. */
export function merkle(leaves) {
  let level = leaves.map((leaf) => sha256(u8(0), leaf));
  if (level.length === 0) return sha256();
  while (level.length > 1) {
    level = Array.from({ length: (level.length + 1) >> 1 }, (_, i) =>
      2 * i + 1 < level.length ? sha256(u8(1), level[2 * i], level[2 * i + 1]) : level[2 * i]);
  }
  return level[0];
}

/** The inclusion path of a leaf (spec 0). */
export function merklePath(leaves, index) {
  let level = leaves.map((leaf) => sha256(u8(0), leaf));
  const path = [];
  for (let i = index; level.length > 1; i >>= 1) {
    if ((i ^ 1) < level.length) path.push(level[i ^ 1]);
    level = Array.from({ length: (level.length + 1) >> 1 }, (_, k) =>
      2 * k + 1 < level.length ? sha256(u8(1), level[2 * k], level[2 * k + 1]) : level[2 * k]);
  }
  return path;
}

/** An Ed25519 key from 32 secret bytes. */
export function keyFrom(secret) {
  const der = Buffer.concat([bytes('302e020100300506032b657004220420'), secret]);
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32);
  return { publicKey, sign: (message) => sign(null, message, key) };
}

/** Reads a vector file. Integers beyond 2^53 lose nothing: they become strings of decimals first. */
export function vectors(name) {
  const text = readFileSync(new URL(`../../tests/vectors/${name}.json`, import.meta.url), 'utf8');
  return JSON.parse(text.replace(/([[:,]\s*)(\d{16,})(?=\s*[,\]}])/g, '$1"$2"'));
}

/** A refusal of a list applied to its encoding (docs/spec.md, appendix A). */
export function altered(encoding, { at, remove, insert }) {
  return Buffer.concat([encoding.subarray(0, at), bytes(insert), encoding.subarray(at + remove)]);
}

export const noChain = {
  known: false, id: hex(Buffer.alloc(32)), replicaId: hex(Buffer.alloc(32)), prover: hex(Buffer.alloc(32)),
  sealedRoot: hex(Buffer.alloc(32)), chunks: 0, hasReveals: false, revealBase: 0, revealIndex: 0,
  reveal: hex(Buffer.alloc(32)),
};
export const zero = hex(Buffer.alloc(32));

/** A struct that a call returned, as a later call takes it. */
export const plain = (result) => result.toObject();
export { Wallet };
