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

// Every method is safe without a database (a private window may have none), and opens one again that the browser
// closed (some do so to pages in the background).
class Keep {
  // Once at a time, so that changes are made in the order in which they were asked for.
  open() {
    if (this.database) return Promise.resolve(this.database);
    this.opening ||= openDatabase()
      .catch(() => null)
      .then((database) => {
        this.opening = null;
        if (database) database.onclose = () => (this.database = null);
        return (this.database = database);
      });
    return this.opening;
  }

  // Hands a transaction to `work`; false when nothing of it was kept. At once where it can: the page may be going.
  change(work) {
    const attempt = (database) =>
      new Promise((done) => {
        const change = database.transaction(["takes", "chunks"], "readwrite");
        change.oncomplete = () => done(true);
        change.onabort = change.onerror = () => done(false);
        work(change.objectStore("takes"), change.objectStore("chunks"));
        if (change.commit) change.commit();
      });
    const again = () => {
      this.database = null;
      return this.open().then((database) => (database ? attempt(database) : false)).catch(() => false);
    };
    return this.database ? attempt(this.database).catch(again) : again();
  }

  putTake(record) {
    return this.change((takes) => takes.put(record));
  }

  putChunk(take, index, { bits, bytes }) {
    return this.change((_, chunks) => chunks.put({ take, index, bits, bytes }));
  }

  forget(take) {
    return this.change((takes, chunks) => {
      takes.delete(take);
      chunks.delete(rangeOf(take));
    });
  }

  // The same pieces under another name.
  rename(take, record, pieces) {
    return this.change((takes, chunks) => {
      takes.put(record);
      for (const [index, { bits, bytes }] of pieces) chunks.put({ take: record.take, index, bits, bytes });
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

  async all(store, range) {
    const database = await this.open();
    if (!database) return [];
    return new Promise((done) => {
      const asked = database.transaction(store).objectStore(store).getAll(range);
      asked.onsuccess = () => done(asked.result);
      asked.onerror = () => done([]);
    }).catch(() => {
      this.database = null;
      return [];
    });
  }
}

const rangeOf = (take) => IDBKeyRange.bound([take, 0], [take, Infinity]);

// Takes of this workspace that an earlier page left behind and no other tab is busy with.
async function findLeftovers(keep, workspace, isKnown) {
  const found = [];
  for (const record of await keep.takes()) {
    if (record.workspace !== workspace || isKnown(record.take)) continue;
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
