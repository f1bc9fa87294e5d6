// A node's public data over HTTP (/public/ of a node): fetched, and checked here before any of it is kept.
import { PublicRecord, Verifier, toBytes, toHex } from './holdfast-verifier/index.js';

const TIMEOUT_MS = 20_000;
const BUSY_TRIES = 4;
const MOST_BUSY_MS = 5_000;
const PAGE = 256;

/** The node has said what cannot be true, or what this browser knows to be otherwise. */
export class NodeRefused extends Error {}

/** "host:port" or an address with http:// or https:// in front, without a path. */
export function nodeAddress(text) {
  const trimmed = text.trim();
  let url;
  try {
    url = new URL(/^https?:\/\//.test(trimmed) ? trimmed : `http://${trimmed}`);
  } catch {
    throw new Error('A node\'s address is host:port, or begins with http:// or https://.');
  }
  if (url.username || url.password) throw new Error('A node needs no name and no password for what is public.');
  return url.origin;
}

class Gateway {
  constructor(origin) {
    this.origin = origin;
  }

  async #get(path) {
    for (let tries = 1; ; ++tries) {
      const response = await this.#ask(path);
      if (response.ok) return response;
      const why = await response.json().catch(() => ({}));
      if (why.reason === 'busy' && tries < BUSY_TRIES) {  // as the node asks for: again, a little later
        const seconds = Number(response.headers.get('retry-after')) || 1;
        await new Promise((resolve) => setTimeout(resolve, Math.min(seconds * 1_000, MOST_BUSY_MS)));
        continue;
      }
      const error = new Error(`The node has no answer to ${path}: ${why.error ?? response.status}`);
      error.reason = why.reason;
      throw error;
    }
  }
  async #ask(path) {
    try {
      return await fetch(`${this.origin}/public/${path}`, {
        credentials: 'omit', referrerPolicy: 'no-referrer', redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch {
      throw new Error(`Nothing came from ${this.origin}: is it there, does it serve /public/, and may a page opened by ${location.protocol} ask it?`);
    }
  }
  async bytes(path) {
    return new Uint8Array(await (await this.#get(path)).arrayBuffer());
  }
  async text(path) {
    return (await this.#get(path)).text();
  }
  async json(path) {
    return JSON.parse(await this.text(path));
  }
}

function insist(holds, words) {
  if (!holds) throw new NodeRefused(words);
}

/** Whatever a check throws, as words about the node. */
function held(words, check) {
  try {
    return check();
  } catch (error) {
    throw new NodeRefused(`${words} (${error.message})`);
  }
}

async function network(gateway, kept) {
  const params = await gateway.bytes('network.params');
  const verifier = await Verifier.create(params).catch((error) => {
    throw new NodeRefused(`What it gives as the network's parameters is none. (${error.message})`);
  });
  insist(kept.verifier === null || toHex(kept.verifier.networkId) === toHex(verifier.networkId),
    'It belongs to another network than the one that this browser knows. Nothing of it was taken over; forget everything first if you want that network.');
  return { params, verifier };
}

/** Every update of the chain is in the record that comes out. */
async function chainRecord(gateway, id) {
  const whole = await gateway.json(`chains/${id}`);
  for (let page = whole; page.chains?.[0]?.updates?.length === PAGE;) {
    page = await gateway.json(`chains/${id}?first=${whole.chains[0].updates.length}`);
    whole.chains[0].updates.push(...page.chains[0].updates);
    whole.chains[0].reveals.push(...page.chains[0].reveals);
  }
  return JSON.stringify({ ...whole, heights: [] });
}

/** The newest head, of a journal that goes on from the one that was kept. */
async function newestHead(gateway, verifier, closed, kept) {
  const older = kept === null ? '' : `?older=${kept.size}`;
  let said;
  try {
    said = await gateway.json(`heads/${closed}${older}`);
  } catch (error) {
    if (error.reason !== 'index') throw error;
    throw new Error('The node is behind what this browser has seen: its journal is shorter. Ask again later.');
  }
  held('The head of its journal is not signed by the operator of the network.', () => verifier.verify(said.head));
  if (kept !== null && kept.object !== said.head) {
    held('Its journal does not go on from the one that the operator signed before: two histories.', () => {
      verifier.verifyExtension({ older: kept.object, newer: said.head, proof: said.consistency });
    });
  }
  return { object: said.head, size: said.size };
}

/** That the operator has signed the block and the digest of a height. */
async function signedByOperator(gateway, verifier, height) {
  const { head } = await gateway.json(`heads/${height.height}`);
  held(`The head of height ${height.height} is not signed by the operator of the network.`, () => verifier.verify(head));
  const signed = verifier.inspect(head);
  insist(signed.height === height.height && signed.block_hash === height.blockHash && signed.global === height.global,
    `Of height ${height.height} it tells another block or digest than the operator has signed.`);
}

/** That the chain's leaf is under the digest of a height, and so that the digest covers the y that is told. */
async function pathLeadsThere(gateway, verifier, record, chainId, height) {
  const path = await gateway.bytes(`chains/${chainId}/paths/${height}`);
  held('The path that it gives leads to another digest.', () => verifier.verify(path, { height: record.knownHeight(height) }));
  insist(verifier.inspect(path).chain_id === chainId, 'The path that it gives is that of another chain.');
}

function isOneChainOfBlocks(heights) {
  return heights.every((one, i) => i === 0 || (one.height === heights[i - 1].height + 1 && one.parent === heights[i - 1].block_hash));
}

/**
 * Fetches a proof of a link and all that it is judged by. `kept` is what this browser knows: {verifier, record,
 * head}, the first two null at first. `tell(words)` is called at the beginning of each step. Returns
 * {params, verifier, record, heights (what was checked of those that matter), chain, head, proof, height, restsOn}; throws NodeRefused where the node lies,
 * Error where it has not what is needed. Nothing is stored.
 */
export async function askNode({ address, chainId, height: asked, kept }, tell) {
  const gateway = new Gateway(address);
  tell('It belongs to the network that this browser knows, or the first one that it is told of.');
  const { params, verifier } = await network(gateway, kept);
  const fields = verifier.inspect(params);
  const hasOperator = /[1-9a-f]/.test(fields.operator_key ?? '');
  const record = new PublicRecord(verifier);
  for (const one of kept.record?.heights.values() ?? []) record.heights.set(one.height, one);

  tell('It has closed the digest of the height that is asked for.');
  const { tip, closed } = await gateway.json('tip');
  insist(Number.isSafeInteger(closed) && tip >= closed, 'It has closed no height yet, or does not tell which.');
  const height = asked ?? closed - (Number(verifier.around(closed).compactDraw) - closed);
  if (!(height >= fields.genesis_height && height <= closed)) throw new Error(`Heights ${fields.genesis_height} to ${closed} are closed there, and this is ${height}.`);
  let head = kept.head;
  if (hasOperator) {
    tell("The operator has signed the head of its journal, which goes on from the one that this browser has seen.");
    head = await newestHead(gateway, verifier, closed, kept.head);
  }

  tell('Its blocks, y and digests form one chain, and are those that this browser knows.');
  const around = verifier.around(height);
  const drawn = Number(around.compactDraw);
  const needed = [height, drawn, around.isFirst ? height : height - 1, Number(around.anchor ?? height)];
  const [first, last] = [Math.min(...needed), Math.min(Math.max(...needed), tip)];
  const text = await gateway.text(`heights/${first}/${last - first + 1}`);
  const said = held('What it tells of heights is no public record.', () => JSON.parse(text));
  insist(said.heights?.[0]?.height === first && said.heights.length === last - first + 1 && isOneChainOfBlocks(said.heights),
    'The blocks that it tells are not one after another.');
  const { heights } = held('It contradicts what this browser knows: two histories. Nothing of it was taken over.', () => record.add(text));
  const restsOn = [];
  if (hasOperator) {
    tell('The operator of the network has signed the blocks and digests of the heights that matter.');
    for (const one of heights.filter((h) => needed.includes(h.height) && h.height <= closed)) {
      await signedByOperator(gateway, verifier, one);
    }
    restsOn.push("blocks and digests: the operator's signature");
  } else {
    restsOn.push(`blocks and digests: the word of ${address}; compare them with a source that you trust`);
  }

  tell("The chain's registration is signed by its prover, and is the one that the chain's id names.");
  const chainText = await chainRecord(gateway, chainId);
  held('The registration that it gives does not hold.', () => record.add(chainText));
  insist(record.chains.has(chainId), 'It gives the registration of another chain.');

  tell('The chain stands under the digest of the height, and under that of the height that draws: its paths lead there, and cover both y.');
  const covered = [height, drawn].filter((one) => one <= closed);
  for (const one of covered) await pathLeadsThere(gateway, verifier, record, chainId, one);

  tell("The chain's prover has made a proof of its link of this height.");
  const proof = await gateway.bytes(`chains/${chainId}/proofs/${height}`);
  insist(verifier.inspect(proof).chain_id === chainId && verifier.inspect(proof).height === height,
    'The proof that it gives is of another chain or height.');
  restsOn.push('y: as the digests cover it; whoever wants it computed again asks the command line (holdfast verify --from)');
  if (!covered.includes(drawn)) restsOn.push(`y of ${drawn}, which is not closed yet: the word of ${address}`);
  const checked = heights.filter((one) => needed.includes(one.height) && one.height <= closed)
    .map(({ height: h, blockHash, global, y }) => (covered.includes(h) ? { height: h, blockHash, global, y } : { height: h, blockHash, global }));
  return { params, verifier, record, heights: checked, chain: record.chains.get(chainId), head, proof, height, restsOn };
}

/** 64 digits in lower case. */
export function chainIdOf(text) {
  const id = text.trim().toLowerCase();
  toBytes(id, 'The id of the chain', 32);
  return id;
}
