// The package and the example page in a headless Chromium, over the debugging pipe.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import test, { after, before } from 'node:test';
import { BUILD, networkFiles, pathOf, TEST, VECTORS } from './files.mjs';

const BROWSER = process.env.HOLDFAST_BROWSER ?? 'chromium-headless-shell';
const SHOTS = process.env.HOLDFAST_SHOTS; // a folder to keep screenshots in
const TYPES = {
  '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.css': 'text/css',
  '.json': 'application/json', '.wasm': 'application/wasm',
};

/** Serves the page, the package, this folder and the vectors; remembers what was asked for. */
async function serve() {
  const folders = { page: new URL('page/', BUILD), test: TEST, vectors: VECTORS };
  const asked = [];
  const server = createServer(async (request, response) => {
    const [, folder, ...rest] = new URL(request.url, 'http://localhost').pathname.split('/');
    asked.push(request.url);
    try {
      const name = rest.join('/') || 'index.html';
      if (!(folder in folders) || name.includes('..')) throw new Error('no such file');
      const body = await readFile(new URL(name, folders[folder]));
      response.writeHead(200, { 'content-type': TYPES[extname(name)] ?? 'application/octet-stream' }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { origin: `http://127.0.0.1:${server.address().port}`, asked, close: () => (server.close(), server.closeAllConnections()) };
}

/** Chromium's debugging protocol: JSON messages with a zero byte behind each, on descriptors 3 and 4. */
class Browser {
  #waiting = new Map();
  #listeners = [];
  #next = 1;

  static async start(folder) {
    const browser = new Browser();
    // Root has no sandbox of Chromium's; what is opened here is our own.
    browser.process = spawn(BROWSER, [
      '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--remote-debugging-pipe', `--user-data-dir=${folder}`,
    ], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
    let left = Buffer.alloc(0);
    browser.process.stdio[4].on('data', (chunk) => {
      left = Buffer.concat([left, chunk]);
      for (let end = left.indexOf(0); end >= 0; end = left.indexOf(0)) {
        browser.#take(JSON.parse(left.subarray(0, end).toString()));
        left = left.subarray(end + 1);
      }
    });
    await browser.send('Browser.getVersion');
    return browser;
  }

  #take(message) {
    const waiting = this.#waiting.get(message.id);
    if (waiting === undefined) return this.#listeners.forEach((listener) => listener(message));
    this.#waiting.delete(message.id);
    if (message.error) waiting.reject(new Error(JSON.stringify(message.error)));
    else waiting.resolve(message.result);
  }

  /** Rejects where no answer comes: Chromium drops what it was asked of a page that is being replaced. */
  send(method, params = {}, sessionId = undefined, timeoutMs = 120_000) {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new Error(`no answer to ${method}`));
      }, timeoutMs);
      timer.unref();
      const settle = (how) => (value) => {
        clearTimeout(timer);
        how(value);
      };
      this.#waiting.set(id, { resolve: settle(resolve), reject: settle(reject) });
      this.process.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    });
  }

  /** Ends it with all its processes, which would keep the pipes and so this program open. */
  async close() {
    const ended = new Promise((resolve) => this.process.on('exit', resolve));
    this.send('Browser.close').catch(() => {});
    const timer = setTimeout(() => this.process.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(timer);
    for (const pipe of [3, 4]) this.process.stdio[pipe].destroy();
  }

  async tab(url) {
    const { targetId } = await this.send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true });
    const tab = new Tab(this, sessionId);
    this.#listeners.push((message) => {
      if (message.sessionId === sessionId && message.method === 'Runtime.exceptionThrown') {
        tab.errors.push(JSON.stringify(message.params.exceptionDetails.exception?.description));
      }
    });
    for (const domain of ['Runtime', 'Page', 'DOM']) await tab.send(`${domain}.enable`);
    await tab.send('Page.navigate', { url });
    return tab;
  }
}

class Tab {
  errors = [];

  constructor(browser, sessionId) {
    this.browser = browser;
    this.sessionId = sessionId;
  }

  send(method, params, timeoutMs) {
    return this.browser.send(method, params, this.sessionId, timeoutMs);
  }

  async evaluate(expression, timeoutMs) {
    const params = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', params, timeoutMs);
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  /** Until the expression is true; some seconds, for machines with other work. */
  async until(expression, what) {
    for (const end = Date.now() + 60_000; Date.now() < end;) {
      if (await this.evaluate(expression, 2_000).catch(() => false)) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.fail(`never: ${what ?? expression}; ${this.errors.join()}`);
  }

  ready() {
    return this.until("document.documentElement.dataset.ready === 'true'", 'the page is ready');
  }

  async choose(paths) {
    const { root } = await this.send('DOM.getDocument');
    const { nodeId } = await this.send('DOM.querySelector', { nodeId: root.nodeId, selector: '#files' });
    await this.send('DOM.setFileInputFiles', { nodeId, files: paths });
  }

  async drop(paths) {
    const data = { items: [], files: paths, dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop']) await this.send('Input.dispatchDragEvent', { type, x: 300, y: 220, data });
  }

  results() {
    return this.evaluate(`Array.from(document.querySelectorAll('.result'), (card) => ({
      title: card.querySelector('h2').textContent, text: card.textContent,
      steps: Array.from(card.querySelectorAll('.steps li'), (li) => li.className) }))`);
  }

  text(selector) {
    return this.evaluate(`document.querySelector('${selector}').textContent`);
  }

  async screenshot(name, scheme = 'light') {
    await this.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });
    await this.send('Emulation.setDeviceMetricsOverride', { width: 900, height: 1200, deviceScaleFactor: 1, mobile: false });
    const { data } = await this.send('Page.captureScreenshot', { captureBeyondViewport: true });
    const image = Buffer.from(data, 'base64');
    if (SHOTS) await writeFile(join(SHOTS, `${name}.png`), image);
    return image;
  }
}

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
