// The package and the example page in a headless Chromium.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { Browser, serve } from './chromium.mjs';
import { BUILD, networkFiles } from './files.mjs';

let server;
let browser;
let folder;
let files;

before(async () => {
  files = await networkFiles(await import(new URL('package/index.js', BUILD)));
  folder = await mkdtemp(join(tmpdir(), 'holdfast-page-'));
  for (const [name, bytes] of Object.entries(files)) if (Buffer.isBuffer(bytes)) await writeFile(join(folder, name), bytes);
  server = await serve();
  browser = await Browser.start(join(folder, 'profile'));
});

after(async () => {
  await browser?.close();
  server?.close();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

const at = (...names) => names.map((name) => join(folder, name));

test('every vector of the verifiers holds in the browser', async () => {
  const tab = await browser.tab(`${server.origin}/page/`);
  await tab.ready();
  const result = await tab.evaluate(`(async () => {
    const api = await import('${server.origin}/page/holdfast-verifier/index.js');
    const { runVectors } = await import('${server.origin}/test/vectors.mjs');
    return runVectors(api, async (name) => (await fetch('${server.origin}/vectors/' + name + '.json')).text());
  })()`);
  assert.deepEqual(result.failures, []);
  assert.ok(result.passed > 5000, `only ${result.passed} checks`);
  console.log(`vectors in the browser: ${result.passed} checks`);
});

test('the page judges what is dropped on it, step by step', async () => {
  const tab = await browser.tab(`${server.origin}/page/`);
  await tab.ready();
  await tab.drop(at('compact.proof'));
  await tab.until("!document.querySelector('#notice').hidden");
  assert.match(await tab.text('#notice'), /give network.params first/);
  // A rule of the style sheet that says how buttons look showed what is hidden.
  assert.equal(await tab.evaluate("getComputedStyle(document.querySelector('#forget')).display"), 'none');
  const empty = await tab.screenshot('empty');

  await tab.drop(at('network.params', 'public.json', 'compact.proof', 'forged.proof'));
  await tab.until("document.querySelectorAll('.result').length === 2", 'two verdicts');
  const byName = Object.fromEntries((await tab.results()).map((one) => [one.title.split(':')[0], one]));
  assert.match(byName['compact.proof'].title, /accepted/);
  assert.match(byName['compact.proof'].text, /held the cell that y drew/);
  assert.ok(byName['compact.proof'].steps.every((state) => state === 'good'));
  assert.ok(byName['compact.proof'].steps.length >= 8);
  assert.match(byName['forged.proof'].title, /refused: [a-z-]+/);
  assert.equal(byName['forged.proof'].steps.filter((state) => state === 'bad').length, 1);
  const light = await tab.screenshot('light');
  const dark = await tab.screenshot('dark', 'dark');
  assert.ok(!light.equals(dark) && !light.equals(empty));
  assert.equal(await tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), true);
  assert.deepEqual(tab.errors, []);
});

test('every kind that the page judges is accepted', async () => {
  const tab = await browser.tab(`${server.origin}/page/`);
  await tab.ready();
  const names = ['full.proof', 'receipt.proof', 'path.proof', 'chain.registration', 'window.proof'];
  await tab.choose(at('network.params', 'public.json', ...names));
  await tab.until(`document.querySelectorAll('.result').length === ${names.length}`, 'five verdicts');
  for (const { title } of await tab.results()) {
    assert.match(title, /accepted/);
  }
  await tab.screenshot('kinds');
});

test('what is known outlives a reload, is shared by tabs, and no second history is taken', async () => {
  const one = await browser.tab(`${server.origin}/page/`);
  await one.ready();
  await one.choose(at('network.params', 'public.json'));
  const heights = files.facts.record.heights.length;
  await one.until(`document.querySelector('#knownSummary').textContent.includes('${heights} heights, 1 chains')`);
  await one.send('Page.reload');
  await one.until(`document.querySelector('#knownSummary').textContent.includes('${heights} heights')`, 'known after a reload');
  const two = await browser.tab(`${server.origin}/page/`);
  await two.ready();
  await two.drop(at('compact.proof'));
  await two.until("document.querySelectorAll('.result').length === 1");
  assert.match((await two.results())[0].title, /accepted/);

  const other = structuredClone(files.facts.record);
  other.heights[1].global = 'cd'.repeat(32);
  await writeFile(join(folder, 'other.json'), JSON.stringify(other));
  await two.choose(at('other.json'));
  await two.until("document.querySelector('#notice').textContent.includes('two histories')");
  await two.screenshot('two-histories');

  await one.ready();
  await one.evaluate("document.querySelector('#forget').click()");
  await two.until("document.querySelector('#knownSummary').textContent === 'No network yet.'", 'the other tab has forgotten');
});

test('files that are nothing are named and harm nothing', async () => {
  const tab = await browser.tab(`${server.origin}/page/`);
  await tab.ready();
  await tab.choose(at('network.params'));
  await tab.until("!document.querySelector('#forget').hidden");
  await writeFile(join(folder, 'broken.json'), '{"format":');
  await writeFile(join(folder, 'empty'), '');
  await writeFile(join(folder, 'text.proof'), 'no proof at all <b>');
  await tab.choose(at('broken.json', 'empty', 'text.proof'));
  await tab.until("document.querySelectorAll('.result').length === 2");
  assert.match(await tab.text('#notice'), /broken.json: invalid-argument/);
  for (const { title } of await tab.results()) assert.match(title, /refused: (truncated|version)/);
  assert.equal(await tab.evaluate("document.querySelectorAll('.result b').length"), 0);
});

test('the page asks its own server alone', () => {
  assert.ok(server.asked.every((path) => /^\/(page|test|vectors)\//.test(path)), server.asked.join());
});
