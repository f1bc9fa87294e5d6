// What this browser knows, in IndexedDB: the network, its heights and chains. Shared by every tab of
// the page's origin; a change in one is told to the others.

const NAME = 'holdfast-known';
const VERSION = 2; // heads came with the second
const STORES = { network: 'id', heights: ['network', 'height'], chains: ['network', 'id'], heads: 'network' };

export class Store extends EventTarget {
  #db;
  #channel;

  static async open() {
    const store = new Store();
    store.#db = await new Promise((resolve, reject) => {
      const request = indexedDB.open(NAME, VERSION);
      request.onupgradeneeded = () => {
        for (const [name, keyPath] of Object.entries(STORES)) {
          if (!request.result.objectStoreNames.contains(name)) request.result.createObjectStore(name, { keyPath });
        }
      };
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
      request.onblocked = () => reject(new Error('another tab holds an older version of this page open: close it'));
    });
    store.#db.onversionchange = () => store.#db.close(); // a newer page takes over
    store.#channel = new BroadcastChannel(NAME);
    store.#channel.onmessage = () => store.dispatchEvent(new Event('change'));
    return store;
  }

  /** All of it: {network: {id, params} or null, heights, chains, head or null}. */
  async read() {
    const transaction = this.#db.transaction(Object.keys(STORES));
    const all = (name) => settled(transaction.objectStore(name).getAll());
    const [networks, heights, chains, heads] = await Promise.all(Object.keys(STORES).map(all));
    return { network: networks[0] ?? null, heights, chains, head: heads[0] ?? null };
  }

  /** Another network takes the place of the one before, with everything known of it. */
  async setNetwork(id, params) {
    await this.#write((stores) => {
      for (const store of stores) store.clear();
      stores[0].put({ id, params });
    });
  }

  /**
   * All of it or none: a height that is kept already and says something else ends the transaction. `head` is
   * {object, size} of the longest journal that the operator has signed, where there is one.
   */
  async add(network, heights, chains, head = null) {
    let conflict = null;
    const write = this.#write(([, heightStore, chainStore, headStore], transaction) => {
      for (const height of heights) {
        const kept = heightStore.get([network, height.height]);
        kept.onsuccess = () => {
          const before = kept.result ?? {};
          for (const field of ['blockHash', 'y', 'global']) {
            if (!before[field] || !height[field] || before[field] === height[field]) continue;
            conflict ??= height.height;
            transaction.abort();
            return;
          }
          heightStore.put({ ...before, ...height, network });
        };
      }
      for (const chain of chains) chainStore.put({ ...chain, network });
      if (head === null) return;
      const longest = headStore.get(network);
      longest.onsuccess = () => {
        if (!(longest.result?.size >= head.size)) headStore.put({ ...head, network });
      };
    });
    await write.catch((error) => {
      if (conflict === null) throw error;
      const told = new Error(`Height ${conflict} contradicts what this browser knows: two histories. Nothing was taken over.`);
      told.reason = 'two-histories';
      throw told;
    });
  }

  async forget() {
    await this.#write((stores) => stores.forEach((store) => store.clear()));
  }

  async #write(body) {
    const transaction = this.#db.transaction(Object.keys(STORES), 'readwrite');
    const done = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error ?? new Error('the database gave up'));
    });
    body(Object.keys(STORES).map((name) => transaction.objectStore(name)), transaction);
    await done;
    this.#channel.postMessage('changed');
  }
}

const settled = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});
