// The example page asks a real node, with a real prover behind it, over HTTP: in a headless Chromium. What lies is
// a server between the two that changes one thing.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test, { after, before } from 'node:test';
import { promisify } from 'node:util';
import { Browser, serve } from './chromium.mjs';

const HOLDFAST = process.env.HOLDFAST_CLI;
const NETWORK = ['--preset', 'dev', '--set', 'block_ms=500', '--set', 'vdf.arena_kib=1024', '--set', 'vdf.passes=1',
  '--set', 'vdf.steps_per_checkpoint=64', '--set', 'vdf.checkpoints=4', '--no-costs'];

let folder;
let server;
let browser;
let origin;
let chain;
const daemons = [];
const liars = [];
let lie = (_path, body) => body;

async function holdfast(...words) {
  const { stdout } = await promisify(execFile)(HOLDFAST, [...words, '--json'], { cwd: folder });
  return JSON.parse(stdout);
}

/** Its ready line; it is ended after the tests. */
async function daemon(...words) {
  const child = spawn(HOLDFAST, [...words, '--json'], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  daemons.push(child);
  let said = '';
  child.stderr.on('data', (part) => { said = (said + part).slice(-4000); });
  for await (const line of createInterface(child.stdout)) return JSON.parse(line);
  throw new Error(`${words[0]} ended: ${said}`);
}

async function startNetwork() {
  await holdfast('network', 'init', 'node', ...NETWORK);
  await holdfast('keygen', 'node.key');
  const { public_key: alice } = await holdfast('keygen', 'alice.key');
  const node = await daemon('node', '--dir', 'node', '--key', 'node.key', '--listen', '127.0.0.1:0', '--accept-anyone',
    '--public', '127.0.0.1:0');
  await holdfast('ledger', 'issue', '--dir', 'node', '--key', alice, '--amount', '1000');
  const bond = await holdfast('ledger', 'bond', '--dir', 'node', '--owner', alice, '--amount', '1000', '--purpose', 'storage');
  await mkdir(join(folder, 'disk'));
  await writeFile(join(folder, 'data'), Buffer.alloc(300_000, 'stored'));
  await copyFile(join(folder, 'node/chain/network.params'), join(folder, 'network.params'));
  const sealed = await holdfast('seal', 'data', '--params', 'network.params', '--key', 'alice.key', '--out', 'disk/data.replica');
  await daemon('prover', '--params', 'network.params', '--key', 'alice.key', '--folder', 'disk', '--bond', bond.bond_id,
    '--host', `${node.key}@${node.address}`, '--listen', '127.0.0.1:0', '--accept-anyone');
  return { origin: `http://${node.public}`, replica: sealed.replica_id };
}

/** Until the node proves a link of the replica's chain, of a height whose draw is closed as well. */
async function firstProof(replica) {
  for (const end = Date.now() + 90_000; Date.now() < end;) {
    const { closed } = await (await fetch(`${origin}/public/tip`)).json();
    const found = await fetch(`${origin}/public/replicas/${replica}`);
    const id = found.ok ? (await found.json()).chains[0].chain_id : undefined;
    if (id !== undefined && (await fetch(`${origin}/public/chains/${id}/proofs/${closed - 7}`)).ok) return id;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  return assert.fail('no link could be proven');
}

async function liar() {
  const between = createServer(async (request, response) => {
    const answer = await fetch(origin + request.url);
    const body = lie(request.url, Buffer.from(await answer.arrayBuffer()));
    response.writeHead(answer.status, { 'access-control-allow-origin': '*', 'content-type': answer.headers.get('content-type') }).end(body);
  });
  liars.push(between);
  await new Promise((resolve) => between.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${between.address().port}`;
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-gateway-'));
  const started = await startNetwork();
  origin = started.origin;
  chain = await firstProof(started.replica);
  server = await serve();
  browser = await Browser.start(join(folder, 'profile'));
});

after(async () => {
  await browser?.close();
  server?.close();
  for (const between of liars) between.close(), between.closeAllConnections();
  for (const child of daemons) {
    if (child.exitCode !== null) continue;
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

async function page() {
  const tab = await browser.tab(`${server.origin}/page/`);
  await tab.ready();
  return tab;
}

async function ask(tab, address, id = chain, height = '') {
  const before = await tab.evaluate("document.querySelectorAll('article.node').length");
  await tab.evaluate(`(() => {
    const set = (id, value) => { document.getElementById(id).value = value; };
    set('nodeAddress', ${JSON.stringify(address)}); set('nodeChain', ${JSON.stringify(id)}); set('nodeHeight', ${JSON.stringify(String(height))});
    document.getElementById('ask').click();
  })()`);
  await tab.until(`document.querySelectorAll('article.node').length > ${before} && !document.querySelector('#ask').disabled`);
  return tab.evaluate(`(() => {
    const card = document.querySelector('article.node');
    return { verdict: card.querySelector('.verdict').textContent, words: card.querySelector('p').textContent,
      steps: Array.from(card.querySelectorAll('li'), (li) => [li.className, li.textContent]) };
  })()`);
}

test('a proof is fetched from a node and verified, step by step', async () => {
  const tab = await page();
  const said = await ask(tab, origin);
  assert.equal(said.verdict, 'taken over', JSON.stringify(said));
  assert.ok(said.steps.length >= 8 && said.steps.every(([state]) => state === 'good'), JSON.stringify(said.steps));
  assert.match(said.words, /the operator's signature/);
  assert.match(said.words, /knew no network before/);
  const [result] = await tab.results();
  assert.match(result.title, /(compact|full) accepted/);
  assert.ok(result.steps.every((state) => state === 'good'));
  await tab.screenshot('gateway');
  await tab.screenshot('gateway-dark', 'dark');
  assert.deepEqual(tab.errors, []);
});

test('what was fetched is kept across reloads and tabs, and a journal that goes on is taken', async () => {
  const tab = await page();
  assert.match(await tab.text('#knownSummary'), /[1-9]\d* heights, 1 chains/);
  const said = await ask(tab, origin);
  assert.equal(said.verdict, 'taken over', JSON.stringify(said));
  assert.doesNotMatch(said.words, /knew no network before/);
});

test('a node that contradicts what is kept is refused, with words, and nothing of it is kept', async () => {
  const tab = await page();
  const known = await tab.text('#knownSummary');
  const height = await tab.evaluate("document.querySelector('#heights td').textContent");
  const address = await liar();
  lie = (path, body) => {
    if (!path.includes('/heights/')) return body;
    const record = JSON.parse(body);
    for (const one of record.heights) if (one.global) one.global = 'cd'.repeat(32);
    return Buffer.from(JSON.stringify(record));
  };
  const said = await ask(tab, address, chain, Number(height) - 8);
  assert.equal(said.verdict, 'node refused', JSON.stringify(said));
  assert.match(said.words, /contradicts what this browser knows: two histories/);
  assert.equal(said.steps.filter(([state]) => state === 'bad').length, 1);
  assert.equal(await tab.text('#knownSummary'), known);
  await tab.screenshot('gateway-refused');
});

const one = (body, at) => {
  const out = Buffer.from(body);
  out[(at + out.length) % out.length] ^= 1;
  return out;
};
const LIES = [
  ['a changed proof', (path, body) => (path.includes('/proofs/') ? one(body, -40) : body), /does not hold/],
  ['a changed path', (path, body) => (path.includes('/paths/') ? one(body, -40) : body), /path that it gives/],
  ['a changed head', (path, body) => (path.includes('/heads/') ? Buffer.from(JSON.stringify({ ...JSON.parse(body), head: JSON.parse(body).head.replace(/..$/, '00') })) : body), /not signed by the operator/],
  ['another y of the height that draws', (path, body) => {
    if (!path.includes('/heights/')) return body;
    const record = JSON.parse(body);
    record.heights.at(-1).y = 'ef'.repeat(32);
    return Buffer.from(JSON.stringify(record));
  }, /leads to another digest|two histories/],
  ['another network', (path, body) => (path.endsWith('network.params') ? one(body, 20) : body), /another network|parameters is none/],
];
for (const [name, change, words] of LIES) {
  test(`a node that lies is refused: ${name}`, async () => {
    const tab = await page();
    lie = change;
    const said = await ask(tab, await liar());
    assert.equal(said.verdict, 'node refused', JSON.stringify(said));
    assert.match(said.words, words);
  });
}

test('what is no node, and what a node has not, is told and blames nobody', async () => {
  const tab = await page();
  for (const [address, id, height, words] of [
    ['127.0.0.1:1', chain, '', /Nothing came from/],
    [origin, 'ab'.repeat(32), '', /has no answer/],
    [origin, chain, 1_000_000, /are closed there/],
  ]) {
    const said = await ask(tab, address, id, height);
    assert.equal(said.verdict, 'not judged', JSON.stringify(said));
    assert.match(said.words, words);
  }
});
