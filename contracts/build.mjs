// Compiles src/ with the solc of package.json, into build/contracts.json (abi and bytecode of each contract).
// Nothing is done where the sources are those of the last build.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const settings = {
  optimizer: { enabled: true, runs: 200 },
  metadata: { appendCBOR: false, bytecodeHash: 'none' },
  viaIR: true, // the stack of the older code generator is too short
  evmVersion: 'cancun',
  outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object'] } },
};

function readSources(folder) {
  const names = readdirSync(at(folder)).filter((name) => name.endsWith('.sol')).sort();
  return Object.fromEntries(names.map((name) => [name, { content: readFileSync(at(`${folder}/${name}`), 'utf8') }]));
}

export async function build() {
  const sources = { ...readSources('src'), ...readSources('test') };
  const digest = createHash('sha256').update(JSON.stringify([sources, settings])).digest('hex');
  try {
    const kept = JSON.parse(readFileSync(at('build/contracts.json'), 'utf8'));
    if (kept.digest === digest) return kept.contracts;
  } catch {
    // not built yet
  }
  const { default: solc } = await import('solc');
  const output = JSON.parse(solc.compile(JSON.stringify({ language: 'Solidity', sources, settings })));
  const messages = output.errors ?? [];
  for (const message of messages) console.error(message.formattedMessage);
  if (messages.length > 0) throw new Error('solc has complaints');
  const contracts = {};
  for (const file of Object.values(output.contracts)) {
    for (const [name, made] of Object.entries(file)) {
      const bytes = made.evm.deployedBytecode.object.length / 2;
      if (bytes > 24576) throw new Error(`${name} has ${bytes} bytes of code, more than a chain takes`);
      contracts[name] = { abi: made.abi, bytecode: `0x${made.evm.bytecode.object}`, bytes };
    }
  }
  mkdirSync(at('build'), { recursive: true });
  writeFileSync(at('build/contracts.json'), JSON.stringify({ digest, contracts }));
  return contracts;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, { bytes }] of Object.entries(await build())) if (bytes > 0) console.log(`${name}: ${bytes} bytes`);
}
