// The page: files and nodes in, verdicts out. What decides is holdfast-verifier; what is kept is store.js, and
// node.js asks a node.
import { PublicRecord, Refusal, Verifier, toHex } from './holdfast-verifier/index.js';
import { NodeRefused, askNode, chainIdOf, nodeAddress } from './node.js';
import { explain, isExplained, MEANING } from './steps.js';
import { Store } from './store.js';

const MOST_FILE_BYTES = 16 << 20;
const SHOWN_HEIGHTS = 12;
const $ = (id) => document.getElementById(id);

let store;
let verifier = null;
let record = null;
let head = null; // the longest journal that the operator has signed, as far as this browser has seen

// --- what is known -------------------------------------------------------------------------------

async function loadKnown() {
  const known = await store.read();
  verifier = known.network === null ? null : await Verifier.create(known.network.params);
  record = verifier === null ? null : new PublicRecord(verifier);
  for (const height of known.heights) record?.heights.set(height.height, height);
  for (const chain of known.chains) record?.chains.set(chain.id, chain);
  head = known.head;
  showKnown();
}

async function takeNetwork(bytes) {
  const candidate = await Verifier.create(bytes);
  const id = toHex(candidate.networkId);
  if (verifier === null || toHex(verifier.networkId) !== id) await store.setNetwork(id, bytes);
  await loadKnown();
  return id;
}

async function takeRecord(text) {
  if (record === null) throw new Error('Give network.params first: a record means nothing without its network.');
  // Into a record of its own, so that a bad file changes nothing.
  const { heights, chains } = new PublicRecord(verifier).add(text);
  await store.add(toHex(verifier.networkId), heights, chains);
  await loadKnown();
  return { heights: heights.length, chains: chains.length };
}

// --- judging -------------------------------------------------------------------------------------

const place = (fields, record) => ({
  chain: record.knownChain(fields.chain_id, fields.height),
  height: record.knownHeight(fields.height),
});

/** Tries what the object does not name itself; the last refusal stands. */
function firstThatHolds(candidates, verify) {
  let last;
  for (const candidate of candidates) {
    try {
      verify(candidate);
      return candidate;
    } catch (error) {
      last = error;
    }
  }
  throw last ?? new Error('This browser knows nothing that it could be held against.');
}

const JUDGES = {
  registration: (object, _fields, { verifier }) => verifier.verify(object),
  head: (object, _fields, { verifier }) => verifier.verify(object),
  compact: (object, fields, { verifier, record }) => verifier.verify(object, place(fields, record)),
  full: (object, fields, { verifier, record }) => verifier.verify(object, place(fields, record)),
  window: (object, fields, { verifier, record }) =>
    verifier.verify(object, { places: fields.commitments.map((one) => place(one, record)) }),
  receipt: (object, fields, { verifier, record, facts }) => {
    const height = record.knownHeight(fields.height);
    facts.chain_id = firstThatHolds([...record.chains.keys()], (id) =>
      verifier.verify(object, { chain: record.knownChain(id, fields.height), height }));
  },
  path: (object, _fields, { verifier, record, facts }) => {
    const closed = [...record.heights.values()].filter((h) => h.global && h.y).map((h) => h.height).sort((a, b) => b - a);
    facts.height = firstThatHolds(closed, (height) => verifier.verify(object, { height: record.knownHeight(height) }));
  },
  checkpoint: (object, fields, { verifier, record }) => {
    verifier.verify(object);
    const own = record.heights.get(fields.height);
    if (!own?.global) throw new Error(`Signed, but the digest of height ${fields.height} is not known here.`);
    verifier.verify(object, { own: { blockHash: own.blockHash, global: own.global, totalChains: fields.total_chains } });
  },
};

/** {kind, facts, verdict: 'good' | 'bad' | 'none', reason, message, steps, ms} */
function judge(bytes, verifier, record) {
  const started = performance.now();
  const out = { kind: 'unknown', facts: {}, verdict: 'good', steps: [] };
  let reason;
  try {
    const fields = verifier.inspect(bytes);
    out.kind = fields.kind;
    out.facts = factsOf(fields);
    if (JUDGES[fields.kind] === undefined) {
      out.verdict = 'none';
      out.message = 'This page shows what such an object says and does not judge it; the command line does.';
    } else {
      JUDGES[fields.kind](bytes, fields, { verifier, record, facts: out.facts });
      out.message = MEANING[fields.kind];
    }
  } catch (error) {
    out.message = error.message;
    out.verdict = error instanceof Refusal ? 'bad' : 'none';
    reason = error.reason;
    if (error instanceof Refusal) {
      const which = error.index === undefined ? '' : ` It is number ${error.index} of its parts, counted from 0.`;
      out.message = `${error.meaning}${which} ${error.action}`;
    }
  }
  out.reason = reason;
  out.ms = performance.now() - started;
  if (out.verdict !== 'none' && (isExplained(out.kind) || reason)) out.steps = explain(out.kind, reason);
  return out;
}

function factsOf(fields) {
  const names = ['chain_id', 'height', 'status', 'link', 'link_before', 'anchor', 'prover', 'operator', 'global'];
  const facts = { bytes: fields.bytes };
  for (const name of names) if (fields[name] !== undefined) facts[name] = fields[name];
  if (fields.commitments) {
    facts.chain_id = fields.commitments[0]?.chain_id;
    facts.heights = fields.commitments.map((one) => `${one.height} (${one.format})`).join(', ');
  }
  return facts;
}

// --- the page ------------------------------------------------------------------------------------

function element(tag, attributes = {}, ...children) {
  const out = document.createElement(tag);
  Object.assign(out, attributes);
  out.append(...children);
  return out;
}

function showResult(name, result) {
  const words = { good: 'accepted', bad: `refused: ${result.reason}`, none: 'not judged' };
  const facts = element('dl');
  for (const [key, value] of Object.entries(result.facts)) {
    facts.append(element('dt', { textContent: key.replaceAll('_', ' ') }), element('dd', { className: 'mono', textContent: value }));
  }
  const steps = element('ol', { className: 'steps' });
  for (const step of result.steps) steps.append(element('li', { className: step.state, textContent: step.words }));
  const card = element('article', { className: 'card result' },
    element('h2', {}, `${name}: ${result.kind} `, element('span', { className: `verdict ${result.verdict}`, textContent: words[result.verdict] })),
    element('p', { textContent: result.message }), steps, facts,
    element('p', { className: 'quiet', textContent: `Computed here in ${result.ms.toFixed(1)} ms.` }));
  $('results').prepend(card);
}

function showKnown() {
  const heights = [...(record?.heights.values() ?? [])].sort((a, b) => b.height - a.height);
  $('knownSummary').textContent = verifier === null ? 'No network yet.'
    : `Network ${toHex(verifier.networkId).slice(0, 16)}…: ${heights.length} heights, ${record.chains.size} chains.`;
  const short = (value) => (value ? `${value.slice(0, 12)}…` : 'not known');
  $('heights').hidden = heights.length === 0;
  $('heights').tBodies[0].replaceChildren(...heights.slice(0, SHOWN_HEIGHTS).map((h) => element('tr', {},
    ...[String(h.height), short(h.blockHash), short(h.y), short(h.global)].map((text) =>
      element('td', { className: 'mono', textContent: text })))));
  $('forget').hidden = verifier === null;
  $('chains').replaceChildren(...[...(record?.chains.keys() ?? [])].map((id) => element('option', { value: id })));
}

function notice(text) {
  $('notice').textContent = text;
  $('notice').hidden = text === '';
}

// --- a node --------------------------------------------------------------------------------------

/** A card whose steps are ticked as they are taken. */
function progressCard(title) {
  const steps = element('ol', { className: 'steps' });
  const verdict = element('span', { className: 'verdict none', textContent: 'asking' });
  const message = element('p');
  $('results').prepend(element('article', { className: 'card node' }, element('h2', {}, `${title} `, verdict), message, steps));
  let last = null;
  const end = (state) => last?.classList.replace('open', state);
  return {
    tell(words) {
      end('good');
      last = element('li', { className: 'open', textContent: words });
      steps.append(last);
    },
    finish(state, word, words) {
      end(state === 'none' ? 'open' : state);
      verdict.className = `verdict ${state}`;
      verdict.textContent = word;
      message.textContent = words;
    },
  };
}

/** Asks a node for a proof, judges it, and keeps what has held. */
async function askForProof(address, chainId, height) {
  const card = progressCard(`From ${address}:`);
  try {
    const found = await askNode({ address, chainId, height, kept: { verifier, record, head } }, card.tell);
    card.tell('The proof holds.');
    const result = judge(found.proof, found.verifier, found.record);
    if (result.verdict !== 'good') throw new NodeRefused(`The proof that it gives does not hold: ${result.message}`);
    const id = toHex(found.verifier.networkId);
    const isNew = verifier === null;
    if (isNew) await store.setNetwork(id, found.params);
    await store.add(id, found.heights, [found.chain], found.head);
    await loadKnown();
    showResult(`height ${found.height}`, result);
    const first = isNew ? ` This browser knew no network before: compare ${id} with a source that you trust.` : '';
    card.finish('good', 'taken over', `Every step was checked here. It rests on ${found.restsOn.join('; ')}.${first}`);
  } catch (error) {
    const lies = error instanceof NodeRefused || error.reason === 'two-histories';
    card.finish(lies ? 'bad' : 'none', lies ? 'node refused' : 'not judged', `${error.message}`);
  }
}

async function submitNode(event) {
  event.preventDefault();
  notice('');
  const button = $('ask');
  button.disabled = true;
  try {
    const height = $('nodeHeight').value === '' ? undefined : Number($('nodeHeight').value);
    if (height !== undefined && !Number.isSafeInteger(height)) throw new Error('A height is a whole number.');
    await askForProof(nodeAddress($('nodeAddress').value), chainIdOf($('nodeChain').value), height);
  } catch (error) {
    notice(error.message);
  } finally {
    button.disabled = false;
  }
}

const isNetwork = (bytes) => bytes[0] === 1 && bytes[1] === 19;
const isRecord = (bytes) => bytes[0] === 0x7b;

/** Parameters first, then records, then proofs: whatever order they were dropped in. */
export async function takeFiles(files) {
  notice('');
  const read = [];
  for (const file of files) {
    if (file.size > MOST_FILE_BYTES) notice(`${file.name} is over 16 MiB, more than any object.`);
    else read.push({ name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) });
  }
  const rank = ({ bytes }) => (isNetwork(bytes) ? 0 : isRecord(bytes) ? 1 : 2);
  read.sort((a, b) => rank(a) - rank(b));
  for (const { name, bytes } of read) {
    try {
      if (isNetwork(bytes)) await takeNetwork(bytes);
      else if (isRecord(bytes)) await takeRecord(new TextDecoder().decode(bytes));
      else if (verifier === null) notice(`${name}: give network.params first, the file that says which network this is.`);
      else showResult(name, judge(bytes, verifier, record));
    } catch (error) {
      notice(`${name}: ${error.message}`);
    }
  }
}

function listen() {
  const drop = $('drop');
  for (const type of ['dragenter', 'dragover']) {
    document.addEventListener(type, (event) => {
      event.preventDefault();
      drop.classList.add('over');
    });
  }
  document.addEventListener('dragleave', () => drop.classList.remove('over'));
  document.addEventListener('drop', async (event) => {
    event.preventDefault();
    drop.classList.remove('over');
    await takeFiles(event.dataTransfer.files);
  });
  $('files').addEventListener('change', async (event) => {
    await takeFiles(event.target.files);
    event.target.value = '';
  });
  $('node').addEventListener('submit', submitNode);
  $('forget').addEventListener('click', async () => {
    await store.forget();
    $('results').replaceChildren();
    await loadKnown();
  });
  store.addEventListener('change', loadKnown);
}

try {
  store = await Store.open();
  await loadKnown();
  listen();
  document.documentElement.dataset.ready = 'true';
} catch (error) {
  notice(`This page cannot start: ${error.message}`);
  document.documentElement.dataset.ready = 'failed';
}
