'use strict';
// What all classes have in common: a handle of the library's, and calls that can be watched.

const { native, HoldfastError } = require('./native.js');

const raws = new WeakMap();
const made = Symbol('made by the library');

/** An object of the library's. Made by static functions, let go by close() or with the last reference. */
class Handle {
  constructor(secret, raw) {
    if (secret !== made) {
      throw new TypeError(`${new.target.name}: no constructor for programs; use its static functions`);
    }
    raws.set(this, raw);
  }

  /** Lets the object go once no call uses it any more. Later calls throw 'wrong-handle'. */
  async close() {
    await native.close(raws.get(this));
  }
}

function make(Class, raw) {
  return new Class(made, raw);
}

/** The handle of an object that must be of this class. */
function raw(object, Class, name) {
  if (!(object instanceof Class)) throw new TypeError(`${name}: a ${Class.name} wanted`);
  return raws.get(object);
}

function optionalRaw(object, Class, name) {
  return object === undefined || object === null ? undefined : raw(object, Class, name);
}

/** Calls with {signal, progress} of the caller's as the control of the library. */
async function watched(options, call) {
  if (options !== undefined && options !== null && typeof options !== 'object') {
    throw new TypeError('options: an object wanted');
  }
  const { signal, progress } = options ?? {};
  if (signal === undefined && progress === undefined) return call(undefined);
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new TypeError('signal: an AbortSignal wanted');
  }
  if (progress !== undefined && typeof progress !== 'function') {
    throw new TypeError('progress: a function wanted');
  }
  const stop = native.stopFlag();
  const onAbort = () => native.stop(stop);
  if (signal?.aborted) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    if (signal?.aborted) throw new HoldfastError('stopped before it began', 'interrupted');
    return await call({ stop, progress });
  } catch (error) {
    if (signal?.aborted && error instanceof HoldfastError && error.code === 'interrupted') {
      error.cause = signal.reason;
    }
    throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

module.exports = { Handle, make, raw, optionalRaw, watched };
