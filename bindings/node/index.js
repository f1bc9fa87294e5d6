'use strict';

const { native, HoldfastError } = require('./lib/native.js');

const about = native.library();

module.exports = {
  version: about.version,
  abiVersion: about.abiVersion,
  /** Why an object is refused: [{name, meaning, action}]. */
  reasons: about.reasons,
  hasFeature: (name) => native.hasFeature(name),
  HoldfastError,
  ...require('./lib/host.js'),
  ...require('./lib/verify.js'),
  ...require('./lib/node.js'),
  ...require('./lib/continuity.js'),
};
delete module.exports.hostSigner;
