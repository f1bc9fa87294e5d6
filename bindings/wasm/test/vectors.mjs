// The verifiers' vectors (tests/vectors) through the package, in Node.js and in a browser alike.
//
// Each file's encodings must be accepted and each of their listed changes refused; a count of what
// was checked comes back, so that an empty run shows. What only a prover or a registry computes
// (sealing, erasure codes, files, slots) is not here.

/** Numbers beyond 2^53 as strings, which BigInt reads. */
export function parseVectors(text) {
  return JSON.parse(text.replace(/([:[,]\s*)(\d{16,})(?=\s*[,\]}])/g, '$1"$2"'));
}

export const FILES = [
  'network', 'merkle', 'signatures', 'fill', 'entropy', 'hierarchy', 'links', 'bundles', 'seal', 'vdf',
  'availability', 'history', 'lifecycle', 'evidence',
];

const KIND = {
  registration: 1, update: 2, sealProof: 3, receipt: 4, compact: 5, full: 6, path: 7, window: 8,
  vdfProof: 9, vdfSegment: 10, challenge: 11, response: 12, outcome: 13, checkpoint: 15, evidence: 16,
  network: 19, removal: 20, challenger: 21, bundle: 22, member: 23, shortCompact: 24, shortFull: 25,
  acknowledgement: 26, outcome2: 27, head: 28, challenge2: 29,
};

class Checks {
  constructor(api, file) {
    this.api = api;
    this.file = file;
    this.passed = 0;
    this.failures = [];
    this.verifiers = new Map();
  }

  count(good, what) {
    if (good) this.passed++;
    else this.failures.push(`${this.file}: ${what}`);
  }

  async verifier(holder, otherwise) {
    const network = holder.network ?? otherwise;
    if (!this.verifiers.has(network)) {
      const made = await this.api.Verifier.create(standing(KIND.network, hex(network)));
      this.verifiers.set(network, made);
    }
    const verifier = this.verifiers.get(network);
    if (holder.network_id) this.count(toHex(verifier.networkId) === holder.network_id, 'network_id');
    return verifier;
  }

  /** The name of the reason; 'ok' where it holds. Anything but a Refusal is a failure of its own. */
  reason(what, judge) {
    try {
      judge();
      return 'ok';
    } catch (error) {
      if (!(error instanceof this.api.Refusal)) this.count(false, `${what}: ${error.message}`);
      return error.reason;
    }
  }

  accepted(what, judge) {
    const reason = this.reason(what, judge);
    this.count(reason === 'ok', `${what} is refused: ${reason}`);
  }

  refused(what, judge) {
    this.count(this.reason(what, judge) !== 'ok', `${what} is accepted`);
  }

  /** The object itself holds, and none of the listed changes of its body does. */
  object(what, kind, body, refused, verify) {
    const judge = (bytes) => () => verify(standing(kind, bytes));
    this.accepted(what, judge(body));
    for (const change of refused ?? []) this.refused(`${what} (${change.why})`, judge(edited(change, body)));
  }
}

function standing(kind, body) {
  const out = new Uint8Array(body.length + 2);
  out.set([1, kind]);
  out.set(body, 2);
  return out;
}

function hex(text) {
  const out = new Uint8Array(text.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return out;
}
const toHex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');

function joined(...parts) {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function edited({ at, remove, insert }, bytes) {
  return joined(bytes.subarray(0, at), hex(insert), bytes.subarray(at + remove));
}

// Node.js 18 has no global crypto.
const { subtle } = globalThis.crypto ?? (await import('node:crypto')).webcrypto;
const sha256 = async (bytes) => new Uint8Array(await subtle.digest('SHA-256', bytes));

function littleEndian(value, bytes) {
  return Uint8Array.from({ length: bytes }, (_, i) => Number((BigInt(value) >> BigInt(8 * i)) & 255n));
}

/** Hex, or {"expand": seed, "len": n}. */
async function told(value) {
  if (typeof value === 'string') return hex(value);
  const parts = [];
  for (let i = 0; 32 * i < value.len; i++) {
    parts.push(await sha256(joined(hex(value.expand), littleEndian(i, 8))));
  }
  return joined(...parts).subarray(0, value.len);
}

const ZEROS = '00'.repeat(32);

// --- files ---------------------------------------------------------------------------------------

async function checkNetwork(c, file) {
  for (const v of file.cases) {
    await c.verifier(v);
    const verifier = await c.verifier(file);
    c.object('network', KIND.network, hex(v.network), v.refused, (o) => verifier.verify(o));
  }
}

async function checkMerkle(c, file) {
  const verifier = await c.verifier(file);
  for (const v of file.cases) {
    const hashes = [];
    for (const leaf of v.leaves) hashes.push(await sha256(joined(Uint8Array.of(0), await told(leaf))));
    const leads = (indices, siblings) => {
      const root = verifier.multiproofRoot({
        leaves: v.leaves.length, indices, hashes: indices.map((i) => hashes[i]), siblings,
      });
      if (toHex(root) !== v.root) throw new c.api.Refusal({ name: 'multiproof', meaning: 'another root' });
    };
    v.paths.forEach((path, i) => c.accepted(`path of ${i}`, () => leads([i], path)));
    for (const proof of v.multiproofs) {
      const whole = joined(...proof.siblings.map(hex));
      const split = (bytes) => {
        if (bytes.length % 32 !== 0) throw new c.api.Refusal({ name: 'proof-length', meaning: 'no whole hashes' });
        return Array.from({ length: bytes.length / 32 }, (_, i) => bytes.subarray(32 * i, 32 * i + 32));
      };
      c.accepted('multiproof', () => leads(proof.opened, split(whole)));
      for (const change of proof.refused ?? []) {
        c.refused(`multiproof (${change.why})`, () => leads(proof.opened, split(edited(change, whole))));
      }
    }
  }
}

async function checkSignatures(c, file) {
  const verifier = await c.verifier(file);
  for (const v of file.cases.signed) {
    c.accepted('signature', () => verifier.verifySignature(v.public_key, v.message, v.signature));
  }
  for (const v of file.cases.edges) {
    const judge = () => verifier.verifySignature(v.public_key, v.message, v.signature);
    if (v.valid) c.accepted(v.why, judge);
    else c.refused(v.why, judge);
  }
  for (const v of file.cases.keys) {
    if (v.acceptable) c.accepted(v.why, () => verifier.checkKey(v.public_key));
    else c.refused(v.why, () => verifier.checkKey(v.public_key));
  }
}

async function checkFill(c, file) {
  const verifier = await c.verifier(file);
  for (const v of file.cases) {
    const tag = verifier.fillTag({
      lanes: v.p, passes: v.t, blocks: v.blocks, password: v.password, salt: v.salt, associatedData: v.ad,
    });
    c.count(toHex(tag) === v.tag, 'another tag');
  }
}

async function checkEntropy(c, file) {
  for (const v of file.cases.seeds) {
    const verifier = await c.verifier(v, file.network);
    const beacon = { round: v.beacon_round, randomness: v.beacon_randomness };
    const has = verifier.inspect(standing(KIND.network, hex(v.network ?? file.network))).beacon !== null;
    const seeds = [undefined, beacon].map((b) => {
      try {
        return toHex(verifier.seed({ height: v.height, blockHash: v.block_hash, beacon: b }));
      } catch (error) {
        return error.reason;
      }
    });
    // A network has a beacon or it has not: one of the two gives the seed, the other is refused.
    c.count(seeds.includes(v.seed) && seeds.some((seed) => seed.length < 64), `seed of ${v.height} ${has}`);
  }
}

async function checkHierarchy(c, file) {
  for (const v of file.cases) {
    const verifier = await c.verifier(v, file.network);
    const height = {
      height: v.block.height, blockHash: v.block.block_hash, y: v.block.y, anchor: ZEROS,
      previousGlobal: v.previous_global, global: v.global,
    };
    for (const path of v.paths) {
      c.object('path', KIND.path, hex(path.body), path.refused, (o) => verifier.verify(o, { height }));
    }
  }
}

function linkHeight(v) {
  return {
    height: v.block.height, blockHash: v.block.block_hash, y: v.block.y, anchor: v.anchor,
    linkBefore: v.link_before, yCompact: v.next_y, previousGlobal: v.previous_global, global: v.global,
  };
}

function checkLinkHeight(c, verifier, chain, v) {
  const known = { chain, height: linkHeight(v) };
  c.object('receipt', KIND.receipt, hex(v.receipt), v.refused_receipts, (o) => verifier.verify(o, known));
  c.object('path', KIND.path, hex(v.path), [], (o) => verifier.verify(o, known));
  const valid = { ...known, mustCount: false };
  c.object('full', KIND.full, hex(v.full), v.refused_full, (o) => verifier.verify(o, valid));
  c.accepted('full counts', () => verifier.verify(standing(KIND.full, hex(v.full)), known));
  if (!v.compact) return;
  c.object('compact', KIND.compact, hex(v.compact), v.refused_compact, (o) => verifier.verify(o, valid));
  const counts = c.reason('compact', () => verifier.verify(standing(KIND.compact, hex(v.compact)), known));
  c.count(counts === 'ok' || counts === 'full-required', `compact counts: ${counts}`);
}

async function checkLinks(c, file) {
  const stories = new Map();
  for (const v of file.cases.chains) {
    const verifier = await c.verifier(v, file.network);
    c.count(toHex(verifier.ids(v.registration).chainId) === v.chain_id, 'chain_id');
    const chain = { registration: v.registration };
    const heights = new Map();
    for (const height of v.heights) {
      if (!height.link) continue;
      checkLinkHeight(c, verifier, chain, height);
      heights.set(String(height.block.height), { chain: { registration: v.registration }, height: linkHeight(height) });
      if (height.reveal === ZEROS) continue;
      const i = BigInt(height.block.height) - BigInt(v.genesis_height);
      chain.reveals = { base: v.genesis_height, i, reveal: height.reveal };
    }
    stories.set(v.chain_id, { verifier, heights });
  }
  const window = file.cases.window;
  const { commitments } = (await c.verifier(file)).inspect(standing(KIND.window, hex(window.body)));
  const story = stories.get(commitments[0].chain_id);
  const places = window.heights.map((height) => story.heights.get(String(height)));
  c.object('window', KIND.window, hex(window.body), window.refused, (o) => {
    try {
      story.verifier.verify(o, { places });
    } catch (error) {
      // The draw comes last, so that its refusal says that all else holds.
      if (error.reason !== 'full-required') throw error;
    }
  });
}

async function bundleBody(v) {
  const others = await told(v.others);
  const entries = (v.chains ?? []).map((chain) => joined(hex(chain.chain_id), hex(chain.link)));
  for (let at = 0; at < others.length; at += 64) entries.push(others.subarray(at, at + 64));
  entries.sort((a, b) => (toHex(a.subarray(0, 32)) < toHex(b.subarray(0, 32)) ? -1 : 1));
  return joined(hex(v.prover_pk), littleEndian(v.height, 8), hex(v.anchor), littleEndian(v.n, 4), ...entries,
    hex(v.signature));
}

async function checkBundles(c, file) {
  for (const v of file.cases.bundles) {
    const verifier = await c.verifier(v, file.network);
    const height = { height: v.height, blockHash: v.block_hash, anchor: v.anchor };
    const body = await bundleBody(v);
    c.count(toHex(await sha256(body)) === v.body_sha256, 'another body of a bundle');
    c.object('bundle', KIND.bundle, body, v.refused, (o) => verifier.verify(o, { height }));
    for (const chain of v.chains) {
      const known = { chain: { registration: chain.registration }, height };
      const verify = (o) => verifier.verify(o, known);
      if (chain.holds) c.object('member', KIND.member, hex(chain.body), chain.refused, verify);
      else c.refused('member', () => verify(standing(KIND.member, hex(chain.body))));
    }
  }
  for (const v of file.cases.too_many) {
    const verifier = await c.verifier(v, file.network);
    const height = { height: v.height, blockHash: v.block_hash, anchor: v.anchor };
    const body = await bundleBody(v);
    c.refused('too many', () => verifier.verify(standing(KIND.bundle, body), { height }));
  }
  for (const v of file.cases.shorts) await checkShorts(c, v, await c.verifier(v, file.network));
  for (const v of file.cases.acknowledgements) {
    const verifier = await c.verifier(v, file.network);
    const known = { host: v.host_pk, object: await told(v.object) };
    c.object('acknowledgement', KIND.acknowledgement, hex(v.body), v.refused, (o) => verifier.verify(o, known));
  }
}

async function checkShorts(c, v, verifier) {
  const place = (height) => ({
    chain: { registration: v.registration },
    height: {
      height: height.block.height, blockHash: height.block.block_hash, y: height.block.y, anchor: height.anchor,
      linkBefore: height.link_before, yCompact: height.y_c,
    },
    link: height.link,
  });
  // That only a full proof counts comes last, and so says that all else holds.
  const examine = (known) => (o) => {
    try {
      verifier.verify(o, known);
    } catch (error) {
      if (error.reason !== 'full-required') throw error;
    }
  };
  for (const height of v.heights) {
    const known = place(height);
    const compact = hex(height.short_compact);
    const reason = c.reason('short compact', () => verifier.verify(standing(KIND.shortCompact, compact), known));
    c.count(reason === (height.full_required ? 'full-required' : 'ok'), `short compact: ${reason}`);
    c.object('short compact', KIND.shortCompact, compact, height.refused_short_compact, examine(known));
    c.object('short full', KIND.shortFull, hex(height.short_full), height.refused_short_full, examine(known));
  }
  for (const height of v.not_taken) {
    const known = place(height);
    for (const [kind, body] of [[KIND.shortCompact, height.short_compact], [KIND.shortFull, height.short_full]]) {
      c.refused(`not taken (${height.why})`, () => examine(known)(standing(kind, hex(body))));
    }
  }
}

async function checkSeal(c, file) {
  for (const v of file.cases.replicas) {
    const verifier = await c.verifier(v, file.network);
    for (const [name, audit] of [['proof', false], ['audit', true]]) {
      const proof = v[name];
      const known = { registration: v.registration, yHeight: proof.height, y: proof.y, audit, fills: true };
      c.object(name, KIND.sealProof, hex(proof.body), proof.refused, (o) => verifier.verify(o, known));
    }
    c.object('registration', KIND.registration, hex(v.registration), v.refused_registrations, (o) => verifier.verify(o));
    for (const acceptance of v.acceptances ?? []) {
      const judge = () => verifier.verify(standing(KIND.registration, hex(v.registration)),
        { accepted: acceptance.height, finalHash: acceptance.block_hash });
      if (acceptance.accepted) c.accepted('acceptance', judge);
      else c.refused('acceptance', judge);
    }
    if (!v.update) continue;
    const known = {
      chainId: v.chain_id, prover: v.prover_pk, lastSequence: v.last_sequence,
      lastEffective: v.genesis_height, accepted: v.accepted_height,
    };
    c.object('update', KIND.update, hex(v.update), v.refused_updates, (o) => verifier.verify(o, known));
    c.object('removal', KIND.removal, hex(v.removal), v.refused_removals, (o) => verifier.verify(o, known));
  }
  const v = file.cases.unsealed;
  const verifier = await c.verifier(v, file.network);
  const known = { registration: v.registration, yHeight: v.height, y: v.y, fills: true };
  const reason = c.reason('unsealed', () => verifier.verify(standing(KIND.sealProof, hex(v.body)), known));
  c.count(reason === 'sealing', `unsealed: ${reason}`);
}

async function checkVdf(c, file) {
  for (const v of file.cases.evaluations) {
    const verifier = await c.verifier(v, file.network);
    const context = { height: v.height, input: v.input, epochSource: v.epoch_source };
    const all = { ...context, segments: 'all' };
    c.object('vdf', KIND.vdfProof, hex(v.proof), v.refused, (o) => verifier.verify(o, all));
    const some = { ...context, segments: [0, v.checkpoints - 1] };
    c.accepted('vdf, spot', () => verifier.verify(standing(KIND.vdfProof, hex(v.proof)), some));
    for (const segment of v.segments) {
      const known = { ...context, root: v.root, walk: true };
      c.object('segment', KIND.vdfSegment, hex(segment.body), segment.refused, (o) => verifier.verify(o, known));
    }
  }
}

async function checkAvailability(c, file) {
  for (const v of file.cases.exchanges) {
    const verifier = await c.verifier(v, file.network);
    const { height, block_hash: blockHash, y } = v.block;
    // Of each key the registration with the newest base that has begun.
    const inForce = v.challengers.filter((one) => BigInt(one.base) <= BigInt(height)).sort((a, b) =>
      (BigInt(a.base) < BigInt(b.base) ? -1 : 1));
    const newest = new Map(inForce.map((one) => [one.public_key, one]));
    const challengers = [...newest.keys()].sort().map((key) => ({ key }));
    const context = { chainId: v.chain_id, height, blockHash, y, challengers };
    c.object('challenge', KIND.challenge, hex(v.challenge), v.refused_challenges, (o) => verifier.verify(o, context));
    const asked = { registration: v.registration, y, challenge: v.challenge };
    c.object('response', KIND.response, hex(v.response), v.refused_responses, (o) => verifier.verify(o, asked));
    const assigned = newest.get(v.assigned);
    const known = {
      challenge: v.challenge, base: assigned.base, reveal: { i: 0, reveal: assigned.commitment },
    };
    for (const outcome of v.outcomes) {
      c.object('outcome', KIND.outcome, hex(outcome.body), outcome.refused, (o) => verifier.verify(o, known));
    }
  }
}

function journalHead(size, root) {
  return joined(new Uint8Array(136), littleEndian(size, 8), hex(root), new Uint8Array(64));
}

async function checkHistory(c, file) {
  const verifier = await c.verifier(file);
  for (const v of file.cases.parameters) {
    c.object('parameters', KIND.network, hex(v.body), v.refused, (o) => verifier.verify(o));
  }
  const journal = file.cases.journal;
  const size = journal.entries.length;
  const head = journalHead(size, journal.roots[size]);
  journal.entries.forEach((entry, index) => {
    c.accepted('entry', () => verifier.verifyEntry({ head, index, entry, path: journal.paths[index] }));
    c.refused('entry elsewhere', () => verifier.verifyEntry({ head, index: (index + 1) % size, entry, path: journal.paths[index] }));
  });
  for (const entry of journal.refused_entries) {
    c.refused('bad entry', () => verifier.verifyEntry({ head, index: 0, entry, path: journal.paths[0] }));
  }
  for (let n = 0; n <= size; n++) {
    for (let m = 0; m <= n; m++) {
      const [older, newer] = [m, n].map((k) => journalHead(k, journal.roots[k]));
      c.accepted(`extension ${m} to ${n}`, () => verifier.verifyExtension({ older, newer, proof: journal.consistency[n][m] }));
    }
  }
  for (const v of file.cases.heads) {
    const own = await c.verifier(v, file.network);
    c.object('head', KIND.head, hex(v.body), v.refused, (o) => own.verify(o));
  }
  for (const v of file.cases.head_conflicts) {
    const own = await c.verifier(v, file.network);
    c.object(v.offence, KIND.evidence, hex(v.body), v.refused, (o) => own.verify(o, {}));
  }
  for (const v of file.cases.challenges) {
    const own = await c.verifier(v, file.network);
    const context = {
      chainId: v.chain_id, height: v.height, blockHash: v.block_hash, y: v.y,
      challengers: v.challengers.map((one) => ({ key: one.challenger_pk, part: one.part })),
    };
    c.object('challenge 2', KIND.challenge2, hex(v.body), v.refused, (o) => own.verify(o, context));
    for (const outcome of v.outcomes) {
      const known = {
        challenge: v.body, prover: outcome.prover_pk, base: v.height, reveal: { i: 0, reveal: v.reveal },
      };
      c.object('outcome 2', KIND.outcome2, hex(outcome.body), outcome.refused, (o) => own.verify(o, known));
    }
  }
}

async function checkLifecycle(c, file) {
  for (const v of file.cases.checkpoints) {
    const verifier = await c.verifier(v, file.network);
    const own = { blockHash: v.block_hash, global: v.global, totalChains: v.total_chains };
    c.object('checkpoint', KIND.checkpoint, hex(v.body), v.refused, (o) => verifier.verify(o, { own }));
  }
}

async function checkEvidence(c, file) {
  const { known, evidence } = file.cases;
  const seeds = Object.entries(known.inputs);
  const chain = { registration: known.chain.registration };
  if (known.last_reveal) chain.reveals = { base: known.chain.genesis_height, ...known.last_reveal };
  for (const v of evidence) {
    const verifier = await c.verifier(v, file.network);
    const params = verifier.inspect(standing(KIND.network, hex(v.network ?? file.network)));
    const epochOf = (height) => (BigInt(height) - BigInt(params.genesis_height)) / BigInt(params.epoch_blocks);
    const facts = {
      chains: [chain],
      blocks: known.blocks.map((b) => ({
        height: b.height, blockHash: b.block_hash, y: b.y, seed: known.inputs[String(b.height)],
      })),
      epochSeeds: seeds.map(([height]) => ({ epoch: epochOf(height), seed: known.epoch_seeds[height] })),
      fills: true,
    };
    c.object(v.offence, KIND.evidence, hex(v.body), v.refused, (o) => verifier.verify(o, facts));
  }
}

const CHECKS = {
  network: checkNetwork, merkle: checkMerkle, signatures: checkSignatures, fill: checkFill, entropy: checkEntropy,
  hierarchy: checkHierarchy, links: checkLinks, bundles: checkBundles, seal: checkSeal, vdf: checkVdf,
  availability: checkAvailability, history: checkHistory, lifecycle: checkLifecycle, evidence: checkEvidence,
};

/** `read(name)` gives the text of one file; `api` is the package. {passed, failures, byFile}. */
export async function runVectors(api, read, files = FILES) {
  const out = { passed: 0, failures: [], byFile: {} };
  for (const name of files) {
    const checks = new Checks(api, name);
    try {
      await CHECKS[name](checks, parseVectors(await read(name)));
    } catch (error) {
      checks.failures.push(`${name}: ${error.stack ?? error}`);
    }
    out.passed += checks.passed;
    out.byFile[name] = checks.passed;
    out.failures.push(...checks.failures);
  }
  return out;
}
