// A headless Chromium over its debugging pipe, and a server for the pages that it opens.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { BUILD, TEST, VECTORS } from './files.mjs';

const BROWSER = process.env.HOLDFAST_BROWSER ?? 'chromium-headless-shell';
const SHOTS = process.env.HOLDFAST_SHOTS; // a folder to keep screenshots in
const TYPES = {
  '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.css': 'text/css',
  '.json': 'application/json', '.wasm': 'application/wasm',
};

/** Serves the page, the package, this folder and the vectors; remembers what was asked for. */
export async function serve() {
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
export class Browser {
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
