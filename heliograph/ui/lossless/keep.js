// What survives the page: takes and their pieces in IndexedDB, until the server has them all.

const DATABASE = "heliograph-capture";
const OPEN_PATIENCE_MS = 5000;

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
    setTimeout(() => failed(new Error("no answer")), OPEN_PATIENCE_MS);
  });
}

// A take has the same name here for good, whatever the server calls it. Every method is safe without a database (a
// private window may have none), and opens one again that the browser closed (some do so to pages in the background).
// Changes are made in the order in which they were asked for, and at once where they can be: the page may be going.
// A database that is opened again may be a new one: `renew` then puts everything into it that should be there.
class Keep {
  constructor() {
    this.database = null;
    this.wasOpen = false;
    this.renew = () => {};
    this.jobs = [];
  }

  open() {
    return new Promise((done) => this.use(done));
  }

  // Hands the database, or null, to `job`.
  use(job) {
    if (this.database) return job(this.database);
    if (this.jobs.push(job) > 1) return undefined;
    return openDatabase().catch(() => null).then((database) => {
      if (database) database.onclose = () => (this.database = null);
      this.database = database;
      for (const waiting of this.jobs.splice(0)) waiting(database);
      if (database && this.wasOpen) this.renew();
      this.wasOpen ||= database !== null;
    });
  }

  // Asks, once, that a browser short of space drop other things first. It may refuse.
  persist() {
    this.persisting ??= Promise.resolve(navigator.storage?.persist?.()).catch(() => false);
  }

  // What `work` makes of the database; `without` where there is none, or it fails twice.
  try(work, without) {
    return new Promise((done) => {
      const attempt = (again) => (database) => {
        try {
          if (database) work(database, done);
          else done(without);
        } catch (error) {
          this.database = null;
          if (again) this.use(attempt(false));
          else done(without);
        }
      };
      this.use(attempt(true));
    });
  }

  // Whether all of it is kept.
  change(work) {
    return this.try((database, done) => {
      // On the disk, not only on its way there, when it counts as kept: a battery may be empty.
      const change = database.transaction(["takes", "chunks"], "readwrite", { durability: "strict" });
      change.oncomplete = () => done(true);
      change.onabort = change.onerror = () => done(false);
      work(change.objectStore("takes"), change.objectStore("chunks"));
      if (change.commit) change.commit();
    }, false);
  }

  putTake(record) {
    return this.change((takes) => takes.put(record));
  }

  // With the take, which tells what is known of it so far.
  putChunk(record, index, { bits, bytes }) {
    return this.change((takes, chunks) => {
      takes.put(record);
      chunks.put({ take: record.take, index, bits, bytes });
    });
  }

  forget(take) {
    return this.change((takes, chunks) => {
      takes.delete(take);
      chunks.delete(rangeOf(take));
    });
  }

  takes() {
    return this.all("takes");
  }

  chunks(take) {
    return this.all("chunks", rangeOf(take));
  }

  all(store, range) {
    return this.try((database, done) => {
      const asked = database.transaction(store).objectStore(store).getAll(range);
      asked.onsuccess = () => done(asked.result);
      asked.onerror = () => done([]);
    }, []);
  }
}

const rangeOf = (take) => IDBKeyRange.bound([take, 0], [take, Infinity]);

// Tells other tabs that somebody is busy with this take until `release`; null when another tab is.
function claim(take) {
  if (!navigator.locks) return Promise.resolve(() => {});
  return new Promise((done) => {
    navigator.locks.request(`heliograph-${take}`, { ifAvailable: true }, (lock) => {
      if (lock === null) return done(null);
      return new Promise((release) => done(release));
    });
  });
}

// Takes of this workspace that an earlier page left behind and no other tab is busy with; claimed.
async function findLeftovers(keep, workspace, isKnown) {
  const found = [];
  for (const { workspace: its, take } of await keep.takes()) {
    if (its !== workspace || isKnown(take)) continue;
    const release = await claim(take);
    if (release === null) continue;
    // As it is now: another tab may just have been done with it.
    const record = (await keep.takes()).find((one) => one.take === take);
    const chunks = record ? await keep.chunks(take) : [];
    if (chunks.length) {
      found.push({ record, chunks, release });
    } else {
      if (record) await keep.forget(take);
      release();
    }
  }
  return found;
}
