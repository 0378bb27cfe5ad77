// Pieces of a recording on their way to the server: in memory and kept by the browser until the server has them all.

const AT_ONCE = 3;
const REQUEST_PATIENCE_MS = 20000;
const QUICK_MS = 3000; // A piece alone; so quick a line has room for several.
const PERMIT_PATIENCE_MS = 5000;
const PERMIT_FRESH_MS = 300000; // For so long, at least, a new permit is good.
const FIRST_PAUSE_MS = 400;
const LONGEST_PAUSE_MS = 8000;
const MOST_RESTARTS = 2;
const NO_NEWS = tellNews({ lost_samples: 0, facts: { skipped_s: "none", events: "none" } });

// What the server is told at once when it changes.
function tellNews({ lost_samples, facts }) {
  return JSON.stringify([lost_samples, facts.skipped_s, facts.events]);
}

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const toHex = (buffer) => Array.from(new Uint8Array(buffer), (octet) => octet.toString(16).padStart(2, "0")).join("");
const makeTakeName = () => toHex(crypto.getRandomValues(new Uint8Array(12)));

// Sends one take. `record` is {take, serverTake, restarts, note, workspace, rate, facts, filledIn}: `take` is its name in
// this browser, for good, and `serverTake` the one at the server, another each time that all of it has to go again.
// `ending` comes when the recording stops. `trouble` is why the server does not take it now, null when it does;
// `refused` why it will never be sent: the server has it already ("settled", "holes"), or will not have it.
class Sender {
  constructor(record, { base, keep, changed, claimed }) {
    record.serverTake ??= record.take;
    record.restarts ??= 0;
    Object.assign(this, { record, base, keep, changed });
    this.chunks = new Map();
    this.digests = new Map();
    this.waiting = [];
    this.flying = new Set();
    this.atOnce = AT_ONCE;
    this.acknowledged = new Set();
    this.begun = false;
    this.news = this.toldNews = NO_NEWS;
    this.ending = null;
    this.permit = null;
    this.permitAskedAt = performance.now();
    this.unanswered = 1;
    this.pause = FIRST_PAUSE_MS;
    this.trouble = null;
    this.kept = true;
    this.refused = null;
    this.done = false;
    this.closed = new Promise((done) => (this.close = done));
    this.wakers = new Set();
    this.wake = this.wake.bind(this);
    window.addEventListener("online", this.wake);
    (claimed ? Promise.resolve(claimed) : claim(record.take)).then((release) => this.closed.then(release));
  }

  get troubled() {
    return this.trouble !== null;
  }

  add(index, bits, bytes) {
    this.chunks.set(index, { bits, bytes });
    this.waiting.push(index);
    this.wake();
    this.checkKept(this.keep.putChunk(this.record, index, { bits, bytes }));
  }

  // Everything, once more: what the browser kept may be gone.
  keepAll() {
    this.checkKept(this.keep.putTake(this.record));
    for (const [index, piece] of this.chunks) this.checkKept(this.keep.putChunk(this.record, index, piece));
  }

  // What is known of the recording so far changed: the server is told, should no end ever come.
  describe(soFar) {
    this.record.soFar = soFar;
    this.news = tellNews(soFar);
  }

  finish(ending) {
    this.ending = ending;
    this.record.ending = ending;
    this.checkKept(this.keep.putTake(this.record));
    this.wake();
  }

  // Whether the browser keeps it beyond this page: a full disk or a private window may not.
  async checkKept(keeping) {
    const kept = await keeping;
    if (!kept && this.kept) this.tell({ kept });
  }

  allow(permit) {
    if (permit && permit !== this.permit) {
      this.permit = permit;
      this.permittedAt = now();
      this.unanswered = 0;
      this.needsPermit = false;
      this.wake();
    }
  }

  askPermit() {
    this.permit = null;
    this.permitAskedAt = performance.now();
    this.unanswered += 1;
    this.tell({ needsPermit: true });
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
    const { serverTake } = this.record;
    const { permit } = this;
    try {
      const answer = await fetch(`${this.base}/takes/${serverTake}${path}`, {
        method,
        body,
        headers: { ...headers, "X-Capture-Permit": permit, ...(type ? { "Content-Type": type } : {}) },
        cache: "no-store",
        credentials: "same-origin", // For the password or cookie of a proxy.
        redirect: "error",
        signal: patience.signal,
      });
      const said = Object(await answer.json().catch(() => ({}))); // Of a proxy it may be anything.
      return { serverTake, permit, status: answer.status, said };
    } catch (error) {
      if (patience.signal.aborted) this.atOnce = 1; // A line too slow for several at once.
      return { serverTake, permit, status: 0, said: {} };
    } finally {
      clearTimeout(timer);
    }
  }

  // True when the request may count as carried out; what can be mended is mended, and then it is tried again.
  async settle({ serverTake, permit, status, said }) {
    if (serverTake !== this.record.serverTake) return false; // It has another name by now.
    if (status >= 200 && status < 300 && ("chunk" in said || "chunks" in said)) {
      this.pause = FIRST_PAUSE_MS;
      this.doubted = null;
      if (this.troubled) this.tell({ trouble: null });
      return true;
    }
    const { reason } = said;
    if (reason === "not_begun") {
      this.begun = false;
    } else if (reason === "incomplete") {
      this.record.delivered = false;
      for (const index of said.missing) this.again(index);
    } else if (["settled", "finished", "different"].includes(reason)) {
      await this.startAnew(reason);
    } else if (["bad_request", "too_large", "too_many"].includes(reason)) {
      this.refused = reason;
    } else {
      // Who was refused often is told "too often", not that the permit has run out.
      const isDoubtful = this.doubted === permit || now() - this.permittedAt > PERMIT_FRESH_MS;
      const unpermitted = reason !== undefined && (status === 401 || (status === 429 && isDoubtful));
      if (unpermitted && permit !== this.permit) return false; // A new one is here or on its way.
      if (unpermitted) this.askPermit();
      if (unpermitted && this.doubted !== permit) {
        this.doubted = permit;
        return false;
      }
      const trouble = reason || "unreachable";
      if (this.trouble !== trouble) this.tell({ trouble });
      await this.rest(this.pause * (0.75 + Math.random() / 2));
      this.pause = Math.min(this.pause * 2, LONGEST_PAUSE_MS);
    }
    return false;
  }

  // Taken up elsewhere (reviewed, discarded) before all of it was there: all of it goes again, as another take.
  async startAnew(reason) {
    const isThere = this.record.delivered || this.acknowledged.size >= this.chunks.size;
    if (reason === "settled" && isThere) {
      this.refused = reason;
    } else if (this.record.restarts >= MOST_RESTARTS) {
      this.refused = "different";
    } else {
      this.record.restarts += 1;
      this.record.serverTake = makeTakeName();
      this.record.delivered = false;
      this.begun = false;
      this.acknowledged.clear();
      this.waiting = [...this.chunks.keys()];
      this.checkKept(this.keep.putTake(this.record));
      this.askPermit();
    }
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
    const { news } = this;
    const { rate, facts, soFar = {} } = this.record;
    const { lost_samples, skipped_samples } = soFar;
    const known = { ...facts, ...soFar.facts };
    const body = JSON.stringify({ rate_hz: rate, facts: known, lost_samples, skipped_samples });
    const answer = await this.ask("PUT", "", { body, type: "application/json" });
    if (!(await this.settle(answer))) return;
    const { chunks, missing } = answer.said;
    const highest = chunks + missing.length;
    if (this.ending && this.ending.guessed) this.ending.chunks = Math.max(this.ending.chunks, highest);
    for (const index of this.chunks.keys()) {
      if (index < highest && !missing.includes(index)) this.acknowledged.add(index);
    }
    const isThere = (index) => this.acknowledged.has(index) || this.flying.has(index);
    this.waiting = [...this.chunks.keys()].filter((index) => !isThere(index));
    this.begun = true;
    this.toldNews = news;
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
    const askedAt = performance.now();
    const answer = await this.ask("PUT", `/${index}`, { body: bytes, type: `audio/l${bits}`, headers });
    const isQuick = performance.now() - askedAt < QUICK_MS;
    this.flying.delete(index);
    if (await this.settle(answer)) {
      if (isQuick) this.atOnce = AT_ONCE;
      this.acknowledged.add(index);
      this.tell({});
    } else if (!this.refused) {
      this.again(index);
    }
    this.wake();
  }

  async conclude() {
    if (!this.record.delivered) {
      // So that the next page knows, should the answer never get here.
      this.record.delivered = true;
      await this.keep.putTake(this.record);
    }
    const { facts, guessed, ...ending } = this.ending;
    const digests = [];
    for (let index = 0; index < ending.chunks; index += 1) digests.push(new Uint8Array(await this.digest(index)));
    const joined = new Uint8Array(32 * digests.length);
    digests.forEach((digest, index) => joined.set(digest, 32 * index));
    const sha256 = toHex(await crypto.subtle.digest("SHA-256", joined));
    const body = JSON.stringify({ ...ending, facts, sha256 });
    if (await this.settle(await this.ask("POST", "/finish", { body, type: "application/json" }))) this.done = true;
  }

  async run() {
    try {
      this.checkKept(this.keep.putTake(this.record));
      while (!this.done && !this.refused) {
        try {
          await this.step();
        } catch (error) {
          console.error(error); // Nothing that we expect; what is here is still to be sent.
          this.tell({ trouble: "unreachable" });
          await sleep(LONGEST_PAUSE_MS);
        }
      }
      // What the server refuses for good stays here: it may be the server that errs.
      if (this.done || ["settled", "holes", "empty"].includes(this.refused)) await this.keep.forget(this.record.take);
    } finally {
      window.removeEventListener("online", this.wake);
      this.close();
      this.tell({});
      await this.keep.open(); // What was to be kept before it was open is kept now.
      this.chunks.clear();
      this.digests.clear();
    }
  }

  async step() {
    if (!this.permit) {
      await this.rest(2000);
      const late = performance.now() - this.permitAskedAt > PERMIT_PATIENCE_MS * this.unanswered;
      if (!this.permit && late) {
        this.trouble ??= "unreachable";
        this.askPermit(); // The run of the page that should have given one may have failed, or be slow.
      }
    } else if (!this.begun || (this.news !== this.toldNews && !this.ending)) {
      await this.begin();
    } else if (this.waiting.length && this.flying.size < this.atOnce) {
      const index = this.waiting.shift();
      this.flying.add(index);
      this.send(index);
    } else if (this.ending && !this.flying.size && this.acknowledged.size >= this.chunks.size) {
      // A browser that did not keep every piece has no more to give; the server offers what it has.
      if (this.chunks.size === this.ending.chunks) await this.conclude();
      else this.refused = "holes";
    } else {
      await this.rest(5000);
    }
  }
}
