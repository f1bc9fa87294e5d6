// A deployment on a fresh node, and the objects that provers and submitters would make for it (docs/spec.md).
import { randomBytes } from 'node:crypto';
import { ZeroHash, keccak256, AbiCoder } from 'ethers';
import {
  bytes, deploy, hex, keyFrom, merkle, merklePath, sent, sha256, startNode, tagged, u32, u64, u8, vectors,
} from './support.mjs';

/** The parameters of the evidence vectors' network, of version 2, from height 0 on, with full groups and regions. */
export function parameters() {
  const tail = [1000, 1000, 10_000, 10_000, 100_000].map(u64);
  const body = Buffer.concat([bytes(vectors('evidence').network), ...tail, u32(4096), Buffer.alloc(32)]);
  body[0] = 2;
  const afterName = 9 + Number(body.readBigUInt64LE(1));
  body.writeBigUInt64LE(0n, afterName);
  const presets = afterName + 25 + Number(body.readBigUInt64LE(afterName + 17)) + 49;
  const rest = presets + 4 + 13 * body.readUInt32LE(presets);
  body.writeUInt32LE(1000, rest + 72);
  body.writeUInt32LE(10, rest + 76);
  return { body, preset: body.subarray(presets + 4, presets + 17) };
}

export const spacing = 5; // checkpoint_blocks of these parameters
export const lag = 6; // 1 + link_lag + finality_blocks
export const terms = {
  chainBond: 1000n, challengerBond: 2000n, submitterBond: 30_000n, disputeBlocks: 10, releaseBlocks: 60, provingBlocks: 50,
};

export async function startWorld() {
  const node = await startNode();
  const [first] = node.signers;
  const judge = await deploy(first, 'Judge');
  const proofs = await deploy(first, 'Proofs');
  const holdfast = await deploy(first, 'Holdfast', judge.target, proofs.target);
  const { body, preset } = parameters();
  const deployment = await holdfast.openNetwork.staticCall(body, terms);
  const opened = await sent(holdfast.openNetwork(body, terms));
  return { node, judge, proofs, holdfast, deployment, preset, networkId: tagged('network', body), gasOfOpening: opened.gasUsed };
}

export const newKey = () => keyFrom(randomBytes(32));
export { sent };
export const half = (signature, i) => hex(signature.subarray(32 * i, 32 * i + 32));

/** A bond of a challenger (2) or submitter (3) under a new key, or under `key`. */
export async function openBond(w, signer, role, value, key = newKey()) {
  const salt = hex(randomBytes(32));
  const id = await w.holdfast.bondIdOf(w.deployment, signer.address, salt);
  const s = key.sign(bytes(id));
  const receipt = await sent(
    w.holdfast.connect(signer).openBond(w.deployment, role, hex(key.publicKey), salt, half(s, 0), half(s, 1), { value }));
  return { id, key, signer, receipt };
}

export async function blockAt(w, height) {
  return bytes((await w.node.provider.send('eth_getBlockByNumber', [`0x${height.toString(16)}`, false])).hash);
}
export const tip = async (w) => Number(await w.node.provider.send('eth_blockNumber', []));

/** A replica of 16 chunks of noise (what seals it is nothing to the contracts), registered with its bond. */
export async function registerChain(w, signer, { listener = '0x0000000000000000000000000000000000000000', commitment = Buffer.alloc(32), value = terms.chainBond, key = newKey() } = {}) {
  const cells = Array.from({ length: 256 }, () => randomBytes(256));
  const salt = hex(randomBytes(32));
  const height = (await tip(w)) - 1;
  const header = Buffer.concat([key.publicKey, randomBytes(32), u64(65536), u64(16), w.preset, u64(7)]);
  const sealedRoot = merkle(cells);
  const genesis = Buffer.concat([u64(height), await blockAt(w, height)]);
  const bondId = await w.holdfast.bondIdOf(w.deployment, signer.address, salt);
  const unsigned = Buffer.concat([header, sealedRoot, genesis, commitment, u8(2), bytes(bondId)]);
  const body = Buffer.concat([unsigned, key.sign(tagged('registration', w.networkId, unsigned))]);
  const replicaId = tagged('replica', w.networkId, header);
  const id = tagged('chain', tagged('ownership', replicaId, sealedRoot), genesis);
  const arguments_ = [w.deployment, body, salt, listener, { value }];
  const receipt = await sent(w.holdfast.connect(signer).register(...arguments_));
  return { id, key, cells, sealedRoot, replicaId, bondId, signer, height, body, arguments_, receipt };
}

export function checkpoint(w, { height, blockHash, digest, total = 100_000n, key, bondId }, signer = key) {
  const unsigned = Buffer.concat([u64(height), blockHash, digest, u64(total), key.publicKey, bytes(bondId)]);
  return Buffer.concat([unsigned, signer.sign(tagged('checkpoint', w.networkId, unsigned))]);
}

/** select(E, n, count) of spec 4.1, written anew. */
export function select(e, n, count) {
  const k = Math.min(n, count);
  const words = [];
  for (let i = 0; i < 16; i++) {
    const digest = tagged('select/2', e, u64(n), u32(k), u32(i));
    for (let j = 0; j < 32; j += 8) words.push(digest.readBigUInt64LE(j));
  }
  const uniform = (m) => {
    for (;;) {
      const product = words.shift() * m;
      if ((product & 0xffffffffffffffffn) >= (2n ** 64n - m) % m) return Number(product >> 64n);
    }
  };
  const a = Array.from({ length: n }, (_, i) => i);
  for (let j = 0; j < k; j++) {
    const r = j + uniform(BigInt(n - j));
    [a[j], a[r]] = [a[r], a[j]];
  }
  return a.slice(0, k);
}
const cellIn = (e, j) => tagged('select/cell', e, u32(j))[0] & 15;

function up(hash, path, size, index) {
  const rest = [...path];
  for (; size > 1; index >>= 1, size = (size + 1) >> 1) {
    if ((index ^ 1) >= size) continue;
    const partner = rest.shift();
    hash = index & 1 ? sha256(u8(1), partner, hash) : sha256(u8(1), hash, partner);
  }
  return hash;
}
const noise = (count) => Array.from({ length: count }, () => randomBytes(32));

/** A height of 100,000 chains in which one chain has this leaf; everything beside its path is noise. */
export function heightOf(w, { height, blockHash, y, previous, chainId = randomBytes(32), link = randomBytes(32) }) {
  const place = { region: 3, group: 4, slot: 500, slots: 1000, groups: 10, regions: 10 };
  const siblings = [noise(10), noise(4), noise(4)];
  const counts = Buffer.concat([
    u32(place.region), u32(place.group), u32(place.slot), u32(place.slots), u32(900), u32(place.groups), u64(9000),
    u32(place.regions), u64(100_000),
  ]);
  let hash = up(sha256(u8(0), chainId, link, u64(height), u8(1)), siblings[0], place.slots, place.slot);
  hash = tagged('group', counts.subarray(0, 8), counts.subarray(12, 20), hash);
  hash = up(sha256(u8(0), hash), siblings[1], place.groups, place.group);
  hash = tagged('region', counts.subarray(0, 4), counts.subarray(20, 32), hash);
  const root = up(sha256(u8(0), hash), siblings[2], place.regions, place.region);
  const digest = tagged('global', w.networkId, u64(height), blockHash, y, previous, u32(place.regions), u64(100_000), root);
  const rest = Buffer.concat([u8(1), counts, ...siblings.flat()]);
  return {
    height, blockHash, y, previous, digest, rest, link,
    path: Buffer.concat([chainId, link, u64(height), rest]),
    header: Buffer.concat([blockHash, y, previous, u32(place.regions), u64(100_000), root]),
  };
}

/** The link of a chain whose cells are at hand, and its openings. */
export function linkOf(w, chain, { height, blockHash, y, reveal = Buffer.alloc(32), anchor = randomBytes(32), lie = -1 }) {
  const e = tagged('entropy/chain', w.networkId, y, chain.id, reveal);
  const chunks = select(e, 16, 16);
  const openings = chunks.map((chunk, j) => {
    const cell = cellIn(e, j);
    return j === lie ? randomBytes(32) : tagged('opening', e, u64(chunk), u8(cell), chain.cells[16 * chunk + cell]);
  });
  const o = merkle(openings);
  const before = chain.id;
  const link = tagged('link', w.networkId, chain.id, u64(height), blockHash, anchor, before, e, o);
  return { link, before, anchor, e, o, openings, chunks, reveal, height, blockHash };
}

export function receipt(w, chain, made) {
  const digest = tagged('receipt', w.networkId, chain.id, u64(made.height), made.blockHash, made.anchor, made.link);
  return Buffer.concat([made.link, u64(made.height), made.anchor, chain.key.sign(digest)]);
}

export function compactProof(w, chain, made, shown, yc) {
  const j = tagged('compact', w.networkId, yc, chain.id)[0] & 15;
  const position = 16 * made.chunks[j] + cellIn(made.e, j);
  return Buffer.concat([
    receipt(w, chain, made), chain.id, made.before, made.reveal, shown.rest, chain.cells[position],
    ...merklePath(chain.cells, position), ...merklePath(made.openings, j),
  ]);
}

export function falseOpening(w, chain, made, j) {
  const position = 16 * made.chunks[j] + cellIn(made.e, j);
  return evidence(2, Buffer.concat([
    chain.id, made.blockHash, receipt(w, chain, made), made.before, made.e, made.o, u8(1), u8(j), made.openings[j],
    ...merklePath(made.openings, j), chain.cells[position], ...merklePath(chain.cells, position),
  ]));
}

export const evidence = (kind, inner) => Buffer.concat([u8(kind), u64(inner.length), inner]);

/** Two of one kind, the smaller first, as evidence 1 and 5 have them. */
export const ordered = (a, b) => (Buffer.compare(a, b) < 0 ? [a, b] : [b, a]);

/** Commits to evidence and brings it. */
export async function accuse(w, signer, body, { commitFirst = true } = {}) {
  const salt = hex(randomBytes(32));
  const coder = AbiCoder.defaultAbiCoder();
  const holdfast = w.holdfast.connect(signer);
  if (commitFirst) {
    await sent(holdfast.commit(keccak256(coder.encode(['address', 'bytes32', 'bytes32'], [signer.address, keccak256(body), salt]))));
  }
  return sent(holdfast.accuse(w.deployment, body, salt));
}

/** Two false statements of a submitter over one height: evidence of kind 5. */
export function contradiction(w, { height, blockHash, key, bondId }) {
  const [a, b] = ordered(randomBytes(32), randomBytes(32)).map((digest) => checkpoint(w, { height, blockHash, digest, key, bondId }));
  return evidence(5, Buffer.concat([u8(1), a, b]));
}

/** Everything that the contract holds is somebody's bond, owed, or burnt. */
export async function needBalance(w, bondIds, accounts) {
  let sum = await w.holdfast.burnt();
  for (const id of bondIds) sum += (await w.holdfast.bonds(id)).amount;
  for (const account of accounts) sum += await w.holdfast.owed(account);
  const balance = await w.node.provider.getBalance(w.holdfast.target);
  if (balance !== sum) throw new Error(`the contract holds ${balance}, accounted for are ${sum}`);
}
export { ZeroHash };
