'use strict';
// verify.js VERIFY_TIME [quick|full] [ID...]: what Node.js costs above the C ABI for a compact proof,
// both in turns on the same proof. Prints one HOLDFAST-RESULT line, as the programs of bench/ do.

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');
const holdfast = require('holdfast');
const { runMainJob } = require('../test/world.js');

const ID = 'C2/compact';
const AT_ONCE = 16;
const [program, mode = 'quick', ...wanted] = process.argv.slice(2);

const quantile = (list, q) => [...list].sort((a, b) => a - b)[Math.round(q * (list.length - 1))];

async function main() {
  if (wanted.length > 0 && !wanted.some((id) => ID === id || ID.startsWith(`${id}/`))) return;
  const job = await runMainJob({ blocks: 40 });
  try {
    const { proof } = (await job.allProofs()).find((each) => each.kind === 'compact');
    const folder = path.join(job.folder, 'public');
    await (await job.manager.verifier()).verifier.save(folder);
    fs.writeFileSync(path.join(job.folder, 'proof'), proof);

    const verifier = await holdfast.Verifier.load(folder);
    const child = spawn(program, [folder, path.join(job.folder, 'proof')], { stdio: ['pipe', 'pipe', 'inherit'] });
    const answers = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const inC = async () => {
      child.stdin.write(`${AT_ONCE}\n`);
      const { value } = await answers.next();
      if (value === undefined) throw new Error('the C ABI does not accept the proof');
      return Number(value);
    };
    const inNode = () => {
      const start = process.hrtime.bigint();
      for (let i = 0; i < AT_ONCE; ++i) {
        if (!verifier.verifySync(proof).accepted) throw new Error('Node.js does not accept the proof');
      }
      return Number(process.hrtime.bigint() - start) / 1e3 / AT_ONCE;
    };
    const times = { c: [], node: [] };
    for (let i = 0; i < (mode === 'full' ? 1_000 : 300); ++i) {
      times.c.push(await inC());
      times.node.push(inNode());
    }
    child.stdin.end();
    const [c, node] = [quantile(times.c, 0.1), quantile(times.node, 0.1)];
    console.log(`compact proof: ${node.toFixed(1)} us in Node.js, ${c.toFixed(1)} us in C (first deciles)`);
    console.log(`HOLDFAST-RESULT ${JSON.stringify({
      id: ID, what: 'what Node.js adds to the verification of a compact proof', value: node - c, unit: 'us',
      peer: 'the C ABI on the same proof (first decile of both)', peer_value: c, ratio: null,
      target: 'value <= 20', met: node - c <= 20, kernel: 'as chosen', threads: 1, samples: times.node.length,
    })}`);
    if (node - c > 20) process.exitCode = 1;
  } finally {
    await job.end();
  }
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
