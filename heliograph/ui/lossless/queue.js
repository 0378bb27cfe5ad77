// Pieces of a recording on their way to the server: in memory and in IndexedDB until the server has them all.

const DATABASE = "heliograph-capture";
const AT_ONCE = 3;
const REQUEST_PATIENCE_MS = 20000;
const FIRST_PAUSE_MS = 400;
const LONGEST_PAUSE_MS = 8000;

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const toHex = (buffer) => Array.from(new Uint8Array(buffer), (octet) => octet.toString(16).padStart(2, "0")).join("");

function openDatabase() {
  return new Promise((done, failed) => {
    const asked = indexedDB.open(DATABASE, 1);
    asked.onupgradeneeded = () => {
      asked.result.createObjectStore("takes", { keyPath: "take" });
      asked.result.createObjectStore("chunks", { keyPath: ["take", "index"] });
    };
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => failed(asked.error);
    asked.onblocked = () => failed(new Error("blocked"));
  });
}

// What survives the page. Every method is safe without a database (a private window may have none).
class Keep {
  async open() {
    if (this.database === undefined) {
      try {
        this.database = await openDatabase();
      } catch (error) {
        this.database = null;
      }
    }
    return this.database;
  }

  put(store, value) {
    if (!this.database) return Promise.resolve(false);
    return new Promise((done) => {
      try {
        const change = this.database.transaction(store, "readwrite");
        change.oncomplete = () => done(true);
        change.onabort = change.onerror = () => done(false);
        change.objectStore(store).put(value);
        if (change.commit) change.commit();
      } catch (error) {
        done(false);
      }
    });
  }

  all(store, range) {
    if (!this.database) return Promise.resolve([]);
    return new Promise((done) => {
      const asked = this.database.transaction(store).objectStore(store).getAll(range);
      asked.onsuccess = () => done(asked.result);
      asked.onerror = () => done([]);
    });
  }

  chunks(take) {
    return this.all("chunks", IDBKeyRange.bound([take, 0], [take, Infinity]));
  }

  forget(take) {
    if (!this.database) return Promise.resolve();
    return new Promise((done) => {
      const change = this.database.transaction(["takes", "chunks"], "readwrite");
      change.oncomplete = change.onabort = () => done();
      change.objectStore("takes").delete(take);
      change.objectStore("chunks").delete(IDBKeyRange.bound([take, 0], [take, Infinity]));
    });
  }
}

// Sends one take. `record` is {take, note, workspace, rate, facts}; `ending` comes when the recording stops.
class Sender {
  constructor(record, { base, keep, changed }) {
    this.record = record;
    this.base = base;
    this.keep = keep;
    this.changed = changed;
    this.chunks = new Map();
    this.digests = new Map();
    this.waiting = [];
    this.flying = 0;
    this.acknowledged = new Set();
    this.begun = false;
    this.ending = null;
    this.permit = null;
    this.pause = FIRST_PAUSE_MS;
    this.troubled = false;
    this.refused = null;
    this.done = false;
    this.closed = new Promise((done) => (this.close = done));
    this.wakers = new Set();
    window.addEventListener("online", () => this.wake());
    if (navigator.locks) navigator.locks.request(`heliograph-${record.take}`, () => this.closed);
  }

  add(index, bits, bytes) {
    this.chunks.set(index, { bits, bytes });
    this.waiting.push(index);
    this.wake();
    return this.keep.put("chunks", { take: this.record.take, index, bits, bytes });
  }

  finish(ending) {
    this.ending = ending;
    this.record.ending = ending;
    this.keep.put("takes", this.record);
    this.wake();
  }

  allow(permit) {
    if (permit && permit !== this.permit) {
      this.permit = permit;
      this.needsPermit = false;
      this.wake();
    }
  }

  wake() {
    for (const waker of this.wakers) waker();
    this.wakers.clear();
  }

  rest(ms) {
    return Promise.race([sleep(ms), new Promise((done) => this.wakers.add(done))]);
  }

  async ask(method, path, { body, type, headers = {} } = {}) {
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), REQUEST_PATIENCE_MS);
    try {
      const answer = await fetch(`${this.base}/takes/${this.record.take}${path}`, {
        method,
        body,
        headers: { ...headers, Authorization: `Bearer ${this.permit}`, ...(type ? { "Content-Type": type } : {}) },
        cache: "no-store",
        credentials: "omit",
        redirect: "error",
        signal: patience.signal,
      });
      const said = await answer.json().catch(() => ({}));
      return { status: answer.status, said };
    } catch (error) {
      return { status: 0, said: {} };
    } finally {
      clearTimeout(timer);
    }
  }

  // True when the request may count as carried out; what can be mended is mended, and then it is tried again.
  async settle({ status, said }) {
    if (status >= 200 && status < 300) {
      this.pause = FIRST_PAUSE_MS;
      if (this.troubled) this.tell({ troubled: false });
      return true;
    }
    if (status === 410) {
      this.refused = "settled";
    } else if (status === 401 || status === 403) {
      this.needsPermit = true;
      this.permit = null;
      this.tell({});
    } else if (said.reason === "not_begun") {
      this.begun = false;
    } else if (said.reason === "incomplete") {
      for (const index of said.missing) this.again(index);
    } else if (["different", "bad_request", "too_large", "too_many", "finished"].includes(said.reason)) {
      this.refused = said.reason;
    } else {
      if (!this.troubled) this.tell({ troubled: true });
      await this.rest(this.pause * (0.75 + Math.random() / 2));
      this.pause = Math.min(this.pause * 2, LONGEST_PAUSE_MS);
    }
    return false;
  }

  again(index) {
    this.acknowledged.delete(index);
    if (!this.waiting.includes(index)) this.waiting.push(index);
  }

  tell(change) {
    Object.assign(this, change);
    this.changed(this);
  }

  async begin() {
    const { rate, facts } = this.record;
    const body = JSON.stringify({ rate_hz: rate, facts });
    const answer = await this.ask("PUT", "", { body, type: "application/json" });
    if (!(await this.settle(answer))) return;
    const { chunks, missing } = answer.said;
    const highest = chunks + missing.length;
    for (const index of this.chunks.keys()) {
      if (index < highest && !missing.includes(index)) this.acknowledged.add(index);
    }
    this.waiting = [...this.chunks.keys()].filter((index) => !this.acknowledged.has(index));
    this.begun = true;
  }

  async digest(index) {
    if (!this.digests.has(index)) {
      this.digests.set(index, await crypto.subtle.digest("SHA-256", this.chunks.get(index).bytes));
    }
    return this.digests.get(index);
  }

  async send(index) {
    const { bits, bytes } = this.chunks.get(index);
    const headers = { "X-Chunk-SHA256": toHex(await this.digest(index)) };
    const answer = await this.ask("PUT", `/${index}`, { body: bytes, type: `audio/l${bits}`, headers });
    this.flying -= 1;
    if (await this.settle(answer)) {
      this.acknowledged.add(index);
      this.tell({});
    } else if (!this.refused) {
      this.again(index);
    }
    this.wake();
  }

  async conclude() {
    const { facts, ...ending } = this.ending;
    const digests = [];
    for (let index = 0; index < ending.chunks; index += 1) digests.push(new Uint8Array(await this.digest(index)));
    const joined = new Uint8Array(32 * digests.length);
    digests.forEach((digest, index) => joined.set(digest, 32 * index));
    const sha256 = toHex(await crypto.subtle.digest("SHA-256", joined));
    const body = JSON.stringify({ ...ending, facts, sha256 });
    if (await this.settle(await this.ask("POST", "/finish", { body, type: "application/json" }))) this.done = true;
  }

  async run() {
    await this.keep.open();
    await this.keep.put("takes", this.record);
    while (!this.done && !this.refused) {
      if (!this.permit) {
        await this.rest(2000);
      } else if (!this.begun) {
        await this.begin();
      } else if (this.waiting.length && this.flying < AT_ONCE) {
        this.flying += 1;
        this.send(this.waiting.shift());
      } else if (this.ending && !this.flying && this.acknowledged.size >= this.ending.chunks) {
        await this.conclude();
      } else {
        await this.rest(5000);
      }
    }
    // Refused for good, or there: nothing here is of use any more, unless the server is the one that errs.
    if (this.done || this.refused === "settled" || !this.chunks.size) await this.keep.forget(this.record.take);
    this.close();
    this.tell({});
  }
}

// Takes of this workspace that an earlier page left behind and no other tab is busy with.
async function findLeftovers(keep, workspace, busy) {
  await keep.open();
  const found = [];
  for (const record of await keep.all("takes")) {
    if (record.workspace !== workspace || busy.has(record.take)) continue;
    const free = navigator.locks
      ? await navigator.locks.request(`heliograph-${record.take}`, { ifAvailable: true }, (lock) => lock !== null)
      : true;
    if (!free) continue;
    const chunks = await keep.chunks(record.take);
    if (chunks.length) found.push({ record, chunks });
    else await keep.forget(record.take);
  }
  return found;
}
