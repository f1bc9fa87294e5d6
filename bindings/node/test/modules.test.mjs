// The same names for import and for require.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import * as imported from 'holdfast';

test('import and require give the same', () => {
  const required = createRequire(import.meta.url)('holdfast');
  const names = Object.keys(imported).filter((name) => name !== 'default');
  assert.deepEqual(names.sort(), Object.keys(required).sort());
  for (const name of names) assert.equal(imported[name], required[name], name);
});
