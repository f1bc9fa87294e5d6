'use strict';
// What a host gives: chain, token, beacon, peers, a signer. Methods may be async; what they throw and
// what they answer wrongly becomes an error of the call that asked.

const { native } = require('./native.js');
const { Handle, make } = require('./handle.js');

const interfaces = {
  blockchain: ['currentHeight', 'blockByHeight', 'submit', 'submissionsAt', 'bondEventsAt'],
  token: ['createBond', 'releaseBond', 'slashBond', 'payReward', 'bondInfo'],
  beacon: ['randomness', 'verify'],
  peers: ['peers', 'measureLatency', 'sendChallenge', 'verifyPlace'],
  signer: ['publicKey', 'sign'],
};

// Null from these says that there is no such thing, or not yet.
const nothing = {
  blockByHeight: 'not-found',
  submissionsAt: 'not-found',
  bondEventsAt: 'not-found',
  bondInfo: 'not-found',
  randomness: 'unavailable',
};

function refuse(number, method, error) {
  const isError = error instanceof Error;
  const code = typeof error?.code === 'string' ? error.code : undefined;
  const reason = typeof error?.reason === 'string' ? error.reason : undefined;
  let text = isError ? error.message : String(error);
  text = `${method} threw: ${text}`.replaceAll('\0', ' ');
  native.refuse(number, code, reason, text);
}

/** The function that the add-on asks: it never throws, and always answers what is settled. */
function asker(host, methods) {
  if (host === null || typeof host !== 'object') throw new TypeError('host: an object wanted');
  for (const method of methods) {
    if (typeof host[method] !== 'function') throw new TypeError(`host.${method}: a function wanted`);
  }
  return (number, method, ...args) => {
    (async () => host[method](...args))().then(
      (value) => {
        const code = value === null || value === undefined ? nothing[method] : undefined;
        if (code !== undefined) native.refuse(number, code, undefined, `${method} has none`);
        else native.answer(number, value);
      },
      (error) => {
        try {
          refuse(number, method, error);
        } catch {
          native.refuse(number, undefined, undefined, `${method} threw`);
        }
      });
  };
}

class Blockchain extends Handle {
  /** options: {timeoutMs, maxCalls}, as for the three below. */
  static from(host, options) {
    return make(Blockchain, native.blockchain(asker(host, interfaces.blockchain), options));
  }
}

class Token extends Handle {
  static from(host, options) {
    return make(Token, native.token(asker(host, interfaces.token), options));
  }
}

class Beacon extends Handle {
  static from(host, options) {
    return make(Beacon, native.beacon(asker(host, interfaces.beacon), options));
  }
}

class Peers extends Handle {
  static from(host, options) {
    return make(Peers, native.peers(asker(host, interfaces.peers), options));
  }
}

/** The raw handle of a signer that is a host's own. */
function hostSigner(host, options) {
  return native.signerFromHost(asker(host, interfaces.signer), options);
}

module.exports = { Blockchain, Token, Beacon, Peers, hostSigner };
