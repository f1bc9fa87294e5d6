'use strict';
// The add-on: prebuilt for this platform, or built from source (build-from-source).

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const file = path.join(__dirname, '..', 'prebuilds', `${process.platform}-${process.arch}`, 'holdfast.node');
if (!fs.existsSync(file)) {
  throw new Error(
    `holdfast has no binary for ${process.platform}-${process.arch}: build it from source with ` +
      'build-from-source, see README.md');
}

const module_ = { exports: {} };
// Node.js has an OpenSSL of its own and shows its symbols to everybody. The library must use the one
// that it was built with.
const { RTLD_NOW, RTLD_DEEPBIND } = os.constants.dlopen ?? {};
if (RTLD_DEEPBIND === undefined) {
  process.dlopen(module_, file);
} else {
  process.dlopen(module_, file, RTLD_NOW | RTLD_DEEPBIND);
}
const native = module_.exports;

/**
 * A call of the library that did not succeed.
 * code: the name of its status ('not-found', 'refused', 'unavailable', ...).
 * reason: with code 'refused', the name of the verdict's reason ('sealed-root', ...), else null.
 * index: the offending part (BigInt), or null.
 */
class HoldfastError extends Error {
  constructor(message, code = 'unavailable', reason = null, index = null) {
    super(reason === null ? `${code}: ${message}` : `${code} (${reason}): ${message}`);
    this.name = 'HoldfastError';
    this.code = code;
    this.reason = reason;
    this.index = index;
  }
}
native.useErrorClass(HoldfastError);
// process.exit() takes the ground away from whatever still runs: the library's threads end first.
process.on('exit', () => native.end());

module.exports = { native, HoldfastError };
