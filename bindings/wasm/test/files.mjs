// Where things are, and the files of one network that a page is given: made of the links' vectors.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseVectors } from './vectors.mjs';

const root = new URL('../../../', import.meta.url);
export const BUILD = new URL(process.env.HOLDFAST_WASM_BUILD ? `file://${process.env.HOLDFAST_WASM_BUILD}/` : 'build/wasm/', root);
export const VECTORS = new URL('tests/vectors/', root);
export const TEST = new URL('./', import.meta.url);
export const pathOf = (url) => fileURLToPath(url);
export const readVectors = (name) => readFile(new URL(`${name}.json`, VECTORS), 'utf8');

export const standing = (kind, hex) => Buffer.concat([Buffer.from([1, kind]), Buffer.from(hex, 'hex')]);

/** Spec 7, E: the number of links, and each behind its kind and length. */
function windowOf(links) {
  const parts = links.flatMap(([kind, hex]) => {
    const head = Buffer.alloc(5);
    head.writeUInt8(kind);
    head.writeUInt32LE(hex.length / 2, 1);
    return [head, Buffer.from(hex, 'hex')];
  });
  return Buffer.concat([Buffer.from([1, 8, links.length]), ...parts]);
}

function holds(verify) {
  try {
    verify();
    return true;
  } catch {
    return false;
  }
}

/** {name: bytes}: network.params, public.json, and one proof of each kind, of the chain with the window. */
export async function networkFiles(api) {
  const file = parseVectors(await readVectors('links'));
  const any = await api.Verifier.create(standing(19, file.network));
  const chainId = any.inspect(standing(8, file.cases.window.body)).commitments[0].chain_id;
  const chain = file.cases.chains.find((one) => one.chain_id === chainId);
  const network = standing(19, chain.network ?? file.network);
  const verifier = await api.Verifier.create(network);
  const heights = chain.heights.map((h) => ({
    height: h.block.height, block_hash: h.block.block_hash, parent: '00'.repeat(32), time_ms: 0, y: h.block.y, global: h.global,
  }));
  // y of the blocks behind the last height told, which draw its proofs' cells.
  for (const h of chain.heights) {
    const height = Number(verifier.around(h.block.height).compactDraw);
    if (!heights.some((one) => one.height === height)) {
      heights.push({ height, block_hash: '00'.repeat(32), parent: '00'.repeat(32), time_ms: 0, y: h.next_y });
    }
  }
  const record = {
    format: 'holdfast-public/1', network_id: api.toHex(verifier.networkId), heights,
    chains: [{ chain_id: chainId, accepted: chain.genesis_height, registration: chain.registration, updates: [], reveals: [] }],
  };
  const known = new api.PublicRecord(verifier);
  known.add(JSON.stringify(record));
  // The vectors draw with a y of their own (next_y) where the file tells that of the block itself.
  const shown = chain.heights.findLast((h) => {
    if (!h.compact) return false;
    const height = known.knownHeight(h.block.height);
    return height.yCompact === h.next_y && holds(() =>
      verifier.verify(standing(5, h.compact), { chain: known.knownChain(chainId, h.block.height), height }));
  });
  const earlier = chain.heights.find((h) => h.full && h.block.height < shown.block.height);
  const compact = standing(5, shown.compact);
  const forged = Buffer.from(compact);
  forged[forged.length - 40] ^= 1;
  return {
    'network.params': network,
    'public.json': Buffer.from(JSON.stringify(record)),
    'compact.proof': compact,
    'forged.proof': forged,
    'full.proof': standing(6, shown.full),
    'receipt.proof': standing(4, shown.receipt),
    'path.proof': standing(7, shown.path),
    'chain.registration': standing(1, chain.registration),
    'window.proof': windowOf([[6, earlier.full], [5, shown.compact]]),
    facts: { height: shown.block.height, chainId, record },
  };
}
