// A compact proof of the largest replica, whose sealed root is made from its path.
import { randomBytes } from 'node:crypto';
import { hex, noChain, sha256, tagged, u32, u64, u8, merkle, merklePath } from './support.mjs';
import { heightOf } from './world.mjs';

/** The first `wanted` of select(E, 2^20, 16): at this size without keeping the list (spec 4.1). */
function selectSparse(e, n, k, wanted) {
  const moved = new Map();
  const words = [];
  let digests = 0;
  const word = () => {
    if (words.length === 0) {
      const digest = tagged('select/2', e, u64(n), u32(k), u32(digests++));
      for (let j = 0; j < 32; j += 8) words.push(digest.readBigUInt64LE(j));
    }
    return words.shift();
  };
  const out = [];
  for (let j = 0; j < wanted; j++) {
    const m = BigInt(n - j);
    let product;
    do product = word() * m; while ((product & 0xffffffffffffffffn) < (2n ** 64n - m) % m);
    const r = j + Number(product >> 64n);
    out.push(moved.get(r) ?? r);
    moved.set(r, moved.get(j) ?? j);
  }
  return out;
}

export function largestCompact(w, { id, y, blockHash, anchor, height }) {
  const chunks = 2 ** 20;
  let yc;
  let drawn;
  do {
    yc = randomBytes(32);
    drawn = tagged('compact', w.networkId, yc, id);
  } while (drawn[1] < 16 || (drawn[0] & 15) !== 15); // the last index costs most
  const j = 15;
  const reveal = Buffer.alloc(32);
  const e = tagged('entropy/chain', w.networkId, y, id, reveal);
  const chunk = selectSparse(e, chunks, 16, 16)[j];
  const cellIndex = tagged('select/cell', e, u32(j))[0] & 15;
  const cell = randomBytes(256);
  const path = Array.from({ length: 24 }, () => randomBytes(32));
  let sealedRoot = sha256(u8(0), cell);
  path.forEach((partner, level) => {
    const right = Math.floor((16 * chunk + cellIndex) / 2 ** level) % 2 === 1;
    sealedRoot = right ? sha256(u8(1), partner, sealedRoot) : sha256(u8(1), sealedRoot, partner);
  });
  const openings = Array.from({ length: 16 }, () => randomBytes(32));
  openings[j] = tagged('opening', e, u64(chunk), u8(cellIndex), cell);
  const link = tagged('link', w.networkId, id, u64(height), blockHash, anchor, id, e, merkle(openings));
  const shown = heightOf(w, { height, blockHash, y, previous: randomBytes(32), chainId: id, link });
  const proof = Buffer.concat([
    link, u64(height), anchor, randomBytes(64), id, id, reveal, shown.rest, cell, ...path, ...merklePath(openings, j),
  ]);
  return {
    yc, proof, digest: hex(shown.digest),
    chain: { ...noChain, known: true, id: hex(id), sealedRoot: hex(sealedRoot), chunks },
    header: { height, blockHash: hex(blockHash), y: hex(y), previous: hex(shown.previous) },
  };
}
