// The daemons' pages in a headless Chromium: what write_pages makes of 100,000 chains, and a node
// that runs. HOLDFAST_SHOTS=FOLDER keeps the screenshots.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { Browser } from '../../bindings/wasm/test/chromium.mjs';

const CHAINS = 100_000;
const MOST_BYTES = 300 * 1024;

let folder;
let made;
let server;
let origin;
let browser;
const asked = [];

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-page-'));
  made = JSON.parse(execFileSync(process.env.HOLDFAST_WRITE_PAGES, [folder, String(CHAINS)], { encoding: 'utf8' }));
  server = createServer(async (request, response) => {
    const path = request.url.split('?')[0];
    asked.push(path);
    try {
      const body = await readFile(join(folder, path === '/' ? 'index.html' : path));
      const type = path.endsWith('.css') ? 'text/css' : path.endsWith('.js') ? 'text/javascript' : 'text/html';
      response.writeHead(200, { 'content-type': `${type}; charset=utf-8` }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${server.address().port}`;
  browser = await Browser.start(join(folder, 'profile'));
});

after(async () => {
  await browser?.close();
  server?.close();
  server?.closeAllConnections();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

async function open(path, scripts = true) {
  const tab = await browser.tab('about:blank');
  if (!scripts) await tab.send('Emulation.setScriptExecutionDisabled', { value: true });
  await tab.send('Page.navigate', { url: origin + path });
  await tab.until("location.href !== 'about:blank' && document.readyState === 'complete'");
  return tab;
}

async function screenshot(tab, name, scheme = 'light', width = 1100) {
  await tab.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });
  await tab.send('Emulation.setDeviceMetricsOverride', { width, height: 1200, deviceScaleFactor: 1, mobile: false });
  const { cssContentSize: { height } } = await tab.send('Page.getLayoutMetrics');
  const clip = { x: 0, y: 0, width, height: Math.min(height, 4000), scale: 1 };
  const { data } = await tab.send('Page.captureScreenshot', { captureBeyondViewport: true, clip });
  const image = Buffer.from(data, 'base64');
  if (process.env.HOLDFAST_SHOTS) await writeFile(join(process.env.HOLDFAST_SHOTS, `${name}.png`), image);
  return image;
}

const fits = (tab) => tab.evaluate('document.documentElement.scrollWidth <= innerWidth');

test('the first view of 100,000 chains is small, and says how long it took', async () => {
  let tab;
  let seen;
  for (let i = 0; i < 3; i++) { // the least of three: other programs share the machine
    tab = await open('/');
    const one = await tab.evaluate(`(() => {
      const [page] = performance.getEntriesByType('navigation');
      const parts = performance.getEntriesByType('resource');
      return { ms: page.loadEventEnd, bytes: [page, ...parts].reduce((sum, one) => sum + one.transferSize, 0) };
    })()`);
    if (!seen) seen = one;
    seen.ms = Math.min(seen.ms, one.ms);
  }
  const ms = made.first_view_ms + seen.ms;
  console.log(`first view of ${CHAINS} chains: ${Math.round(ms)} ms (${made.first_view_ms} ms to make), ${seen.bytes} bytes`);
  assert.ok(seen.bytes < MOST_BYTES, `${seen.bytes} bytes`);
  assert.deepEqual(tab.errors, []);
});

test('nothing foreign is asked for and no name becomes markup', async () => {
  for (const path of ['/', '/node.html', '/challenger.html']) {
    const tab = await open(path);
    const found = await tab.evaluate(`({
      scripts: Array.from(document.scripts, (one) => one.getAttribute('src')),
      images: document.images.length, bold: document.querySelectorAll('td b, th b').length,
      text: document.body.textContent })`);
    assert.deepEqual(found.scripts, ['/page.js']);
    assert.equal(found.images + found.bold, 0);
    if (path !== '/challenger.html') assert.match(found.text, /<script>alert/);
    assert.deepEqual(tab.errors, []);
    // The policy holds for what a script would add, too.
    const blocked = await tab.evaluate(`new Promise((resolve) => {
      document.addEventListener('securitypolicyviolation', (e) => resolve(e.effectiveDirective));
      const script = document.createElement('script');
      script.textContent = 'window.ran = true';
      document.body.append(script);
      setTimeout(() => resolve('none'), 2000);
    })`);
    assert.match(blocked, /^script-src/);
    assert.equal(await tab.evaluate('window.ran === undefined'), true);
  }
});

test('it reads well in light and dark, and on a narrow screen', async () => {
  for (const [path, name] of [['/', 'prover'], ['/node.html', 'node'], ['/challenger.html', 'challenger'], ['/chains/all/1', 'chains']]) {
    const tab = await open(path);
    const light = await screenshot(tab, `${name}-light`, 'light');
    assert.equal(await fits(tab), true, `${name}: wider than the window`);
    const dark = await screenshot(tab, `${name}-dark`, 'dark');
    assert.ok(!light.equals(dark));
    await screenshot(tab, `${name}-narrow`, 'light', 400);
    assert.equal(await fits(tab), true, `${name}: wider than 400 px`);
  }
});

test('without scripts every table is there', async () => {
  const tab = await open('/', false);
  const tree = await tab.send('Accessibility.getFullAXTree');
  const names = (role) => tree.nodes.filter((one) => one.role?.value === role).map((one) => one.name?.value);
  for (const role of ['banner', 'main', 'navigation', 'contentinfo', 'status']) assert.ok(names(role).length === 1, role);
  for (const table of ['Replicas and chains by state', 'The newest heights', 'Peers of the settings']) {
    assert.ok(names('table').includes(table), `${table}: ${names('table')}`);
  }
  assert.ok(names('heading').includes('Disks'));
  // Each region has a name, each link words.
  assert.ok(names('region').every((name) => name) && names('link').every((name) => name));
});

test('the keyboard reaches the content first and every wide table', async () => {
  const tab = await open('/');
  const press = async () => {
    for (const type of ['keyDown', 'keyUp']) await tab.send('Input.dispatchKeyEvent', { type, key: 'Tab', code: 'Tab', windowsVirtualKeyCode: 9 });
    return tab.evaluate('`${document.activeElement.tagName} ${document.activeElement.className}`');
  };
  assert.equal(await press(), 'A skip');
  const reached = new Set();
  for (let i = 0; i < 60; i++) reached.add(await press());
  assert.ok(reached.has('DIV scroll'), [...reached].join());
});

test('the page of a daemon that runs follows it', { timeout: 120_000 }, async () => {
  const cli = process.env.HOLDFAST;
  const run = (...words) => execFileSync(cli, words, { cwd: folder, encoding: 'utf8' });
  run('network', 'init', 'n', '--name', 'page', '--preset', 'dev', '--no-vdf', '--set', 'block_ms=1000');
  run('keygen', 'host.key');
  const daemon = spawn(cli, ['node', '--dir', 'n', '--key', 'host.key', '--accept-anyone', '--listen', '127.0.0.1:0',
    '--monitor', '127.0.0.1:0', '--json', '--log-file', 'node.log'], { cwd: folder });
  try {
    const ready = await new Promise((resolve, reject) => {
      let text = '';
      daemon.stdout.on('data', (chunk) => {
        text += chunk;
        if (text.includes('\n')) resolve(JSON.parse(text.slice(0, text.indexOf('\n'))));
      });
      daemon.on('exit', (code) => reject(new Error(`it ended: ${code}`)));
    });
    const tab = await browser.tab(`http://${ready.monitor}/`);
    await tab.until("document.readyState === 'complete' && document.querySelector('#heights dd')");
    const newest = "document.querySelector('#heights dd').textContent";
    const first = await tab.evaluate(newest);
    await tab.until(`${newest} !== ${JSON.stringify(first)}`, 'a newer height without a reload');
    assert.match(await tab.text('#health'), /All is well/);
    await screenshot(tab, 'live-node');
    assert.deepEqual(tab.errors, []);
  } finally {
    const ended = new Promise((resolve) => daemon.on('exit', resolve));
    daemon.kill('SIGTERM');
    await ended;
  }
});

test('the pages ask their own server for what belongs to them', () => {
  assert.ok(asked.every((path) => /^\/($|page\.(css|js)|chains\/|node\.html|challenger\.html|favicon\.ico)/.test(path)), asked.join());
});
