// One microphone of one page, its recordings and their way to the server. It outlives the component that draws it, so
// that nothing a page does to its elements can cost sound.

const POST_ROLL_S = 0.3;
const GRACE_MS = 1500;
const SLOW_MS = 20000; // Of a server that was just started again.
const LONGEST_S = 86399; // Of the clock: somebody may shut the lid for days.
const LATE_S = 15; // A microphone that is away does not count to the limit; the clock does.
const SAVED_MS = 10000; // Until then the review opens, or the take was somebody else's.
const OPEN_S = 3; // What is late for so long counts as missing, as long as nothing has ended.
const FILL_MS = 2000; // Longer silence of the microphone than any hiccup: a call, a locked screen, a closed lid.

class Recorder extends Microphone {
  constructor() {
    super();
    this.keep = new Keep();
    this.listeners = new Set();
    this.views = new Set();
    this.senders = new Map();
    this.saved = null;
    this.couriers = new Set();
    this.over = new Set();
    this.seconds = 0;
    this.renewals = 0;
    this.keep.renew = () => this.senders.forEach((sender) => sender.keepAll());
    window.addEventListener("pagehide", () => this.leave());
    window.addEventListener("beforeunload", (event) => {
      if (this.phase === "recording") event.preventDefault(); // The browser asks whether to leave.
    });
  }

  configure({ base, workspace, note, max_s, permits, headless }) {
    Object.assign(this, { base, workspace, maxSeconds: max_s });
    if (!headless) this.participantNote = note;
    for (const sender of this.ownSenders()) sender.allow(permits[sender.record.serverTake]);
    if (!this.opened) {
      this.opened = this.keep.open().then(() => this.collect());
      // The page before this one may take a moment to let go of its takes; another tab may be closed any time.
      setTimeout(() => this.collect(), 1500);
      setInterval(() => this.collect(), 10000);
    }
  }

  // Another workspace has other participants under the same numbers.
  ownSenders() {
    return [...this.senders.values()].filter(({ record }) => record.workspace === this.workspace);
  }

  // A screen that locks itself would end the recording on many phones.
  async stayAwake() {
    if (!navigator.wakeLock) return;
    try {
      const lock = await navigator.wakeLock.request("screen");
      if (this.phase === "recording") this.wakeLock = lock;
      else lock.release();
    } catch (error) {
      // A battery saver may refuse it.
    }
  }

  mark(what, at = now()) {
    if (this.phase !== "recording") return;
    const since = Math.max(0, at - (this.startedAt ?? this.pressedAt));
    this.events.push(`${(since / 1000).toFixed(1)} ${what}`);
    this.happened.add(what);
    this.changed();
  }

  // What fails to be drawn must cost no sound.
  changed() {
    for (const listener of this.listeners) {
      try {
        listener(this);
      } catch (error) {
        console.error(error);
      }
    }
  }

  get currentSender() {
    return this.senders.get(this.take) || null;
  }

  // While an earlier recording still waits for the server, too.
  get canStart() {
    return this.phase === "check" || (this.phase === "sending" && this.source !== null && this.sender.troubled);
  }

  start() {
    if (!this.canStart) return null;
    const take = makeTakeName();
    this.piece = new Float32Array(this.rate);
    this.filled = 0;
    this.pieces = 0;
    this.recorded = 0;
    this.filledIn = [];
    this.lostTime = new LostTime(this.rate);
    this.deadSilence = new DeadSilence();
    this.widths = new Set();
    this.events = [];
    this.happened = new Set();
    this.expected = null;
    this.limit = Math.round(this.maxSeconds * this.rate);
    this.startedAt = this.lastAt = null;
    this.notice = null;
    this.pressedAt = now();
    this.stopAt = Infinity;
    this.sleptBefore = clock.slept;
    this.problem = null;
    this.ending = false;
    const facts = { ...this.facts(), began_utc: new Date().toISOString() };
    const { participantNote: note, workspace, rate, filledIn } = this;
    const record = { take, note, workspace, rate, facts, filledIn };
    this.sender = this.follow(record);
    this.take = take;
    this.phase = "recording";
    this.keep.persist();
    this.stayAwake();
    this.deadline = setTimeout(() => this.stop("full_length"), 1000 * (this.maxSeconds + LATE_S));
    this.sender.run();
    this.changed();
    return take;
  }

  follow(record, claimed) {
    const { base, keep } = this;
    const sender = new Sender(record, { base, keep, claimed, changed: () => this.changed() });
    this.senders.set(record.take, sender);
    sender.closed.then(() => this.part(sender));
    return sender;
  }

  // It is there, or never will be: what the server refuses for good is told, and not sent again by this page.
  part(sender) {
    const { refused, record } = sender;
    this.senders.delete(record.take);
    this.over.add(record.take);
    if (refused === "empty") this.problem = "empty";
    else if (refused && !["settled", "holes"].includes(refused)) this.problem = "refused";
    if (this.take === record.take) {
      this.take = null;
      if (["recording", "sending"].includes(this.phase)) {
        this.rest();
        this.phase = this.source ? "check" : "off";
        const isOwn = record.note === this.participantNote; // Another participant's goes to the list there.
        if (sender.done && record.ending.end === "abandoned") this.notice = "given_up";
        else if (sender.done && isOwn) this.awaitReview(record);
      }
    }
    this.changed();
  }

  // What was started now would end with this component, which is about to give way to the review. The take is told
  // until then: a server that was started again in the last moment has not heard of it.
  awaitReview({ serverTake }) {
    const before = this.phase;
    this.phase = "saved";
    this.saved = serverTake;
    clearTimeout(this.reviewing);
    this.reviewing = setTimeout(() => {
      this.saved = null;
      if (this.phase === "saved") this.phase = before;
      this.changed();
    }, SAVED_MS);
  }

  facts() {
    const { settings, source } = this;
    const { context } = source;
    return {
      capture: "lossless",
      echo_cancellation: onOff(settings.echoCancellation),
      noise_suppression: onOff(settings.noiseSuppression),
      auto_gain_control: onOff(settings.autoGainControl),
      voice_isolation: onOff(settings.voiceIsolation),
      device_rate_hz: number(settings.sampleRate),
      device_channels: number(settings.channelCount),
      device_bits: number(settings.sampleSize),
      device_latency_ms: number(settings.latency, 1000),
      captured_by: source.name,
      captured_rate_hz: number(this.rate),
      context_latency_ms: context ? number(context.baseLatency, 1000) : "none",
    };
  }

  record({ frame, at }, samples) {
    const lasts = (1000 * samples.length) / this.rate;
    if (at + lasts < this.pressedAt) return; // Heard before Start and taken from the queue after it.
    if (this.startedAt === null) this.startedAt = at;
    else this.fillIn(frame - this.expected, at - this.lastAt);
    if (this.phase !== "recording") return;
    this.expected = frame + samples.length;
    this.deadSilence.feed(samples);
    this.write(samples);
    this.lastAt = at + lasts;
    this.lostTime.feed(this.recorded, this.lastAt);
    const second = Math.floor(this.recorded / this.rate);
    if (second !== this.seconds) {
      this.seconds = second;
      this.changed();
    }
    if (this.recorded >= this.limit) this.end("full_length");
  }

  // Silence for what is known to be missing before the next sample, so that time stays true. A pause to beyond the
  // limit ends the recording where it began.
  fillIn(skipped, pausedMs) {
    if (clock.slept > this.sleptBefore) this.mark("slept");
    this.sleptBefore = clock.slept;
    const paused = pausedMs > FILL_MS ? Math.round((pausedMs / 1000) * this.rate) : 0;
    const missing = Math.max(skipped, paused);
    if (missing <= 0) return;
    if (missing >= this.limit - this.recorded) {
      this.end("full_length", this.lastAt);
      return;
    }
    this.filledIn.push([this.recorded, this.recorded + missing]);
    this.write(new Float32Array(missing));
  }

  write(samples) {
    let rest = samples.subarray(0, this.limit - this.recorded);
    this.recorded += rest.length;
    while (rest.length) {
      const part = rest.subarray(0, this.rate - this.filled);
      this.piece.set(part, this.filled);
      this.filled += part.length;
      rest = rest.subarray(part.length);
      if (this.filled === this.rate) this.seal();
    }
  }

  seal() {
    if (!this.filled) return;
    const { bits, bytes } = pack(this.piece, this.filled);
    this.widths.add(bits);
    this.sender.describe(this.summarise(this.lastAt, OPEN_S)); // All that is known, should this page not get to its end.
    this.sender.add(this.pieces, bits, bytes);
    this.pieces += 1;
    this.filled = 0;
  }

  async stop(end = "stopped") {
    if (this.phase !== "recording" || this.ending) return;
    const { sender } = this;
    this.ending = true;
    this.stopAt = now() + 1000 * POST_ROLL_S;
    this.changed();
    await new Promise((done) => setTimeout(done, POST_ROLL_S * 1000));
    if (this.phase === "recording" && this.source && !this.away) {
      await Promise.race([this.source.flush(), sleep(this.source.patience)]);
    }
    if (this.sender === sender) this.end(end); // Not another recording that began meanwhile.
  }

  // By the clock a microphone that has given nothing for long goes on until Stop; what comes late is on its way.
  findEnd() {
    const until = Math.min(now(), this.stopAt);
    return until - this.lastAt > FILL_MS ? until : this.lastAt;
  }

  // Seals what there is and lets the sender finish; at once, so that a page that is being left can still do it.
  end(how, until = this.findEnd()) {
    if (this.phase !== "recording") return;
    this.seal();
    this.phase = "sending";
    this.rest();
    if (!this.pieces) {
      this.sender.refused = "empty";
      this.sender.wake();
      return;
    }
    this.sender.finish({ chunks: this.pieces, samples: this.recorded, end: how, ...this.summarise(until) });
    this.changed();
  }

  // What there is to tell of the recording beside its sound, until a moment.
  summarise(until, open = 0) {
    const skipped = this.lostTime.find(open);
    const { cut, edge } = this.bandwidth || {};
    return {
      wall_clock_s: Math.min(LONGEST_S, Math.max(0, (until - this.startedAt) / 1000)),
      lost_samples: countFilled(this.sender.record),
      skipped_samples: Math.round(skipped.reduce((ms, one) => ms + one.ms, 0) * (this.rate / 1000)),
      facts: {
        channels: this.heard.describe(this.channel),
        sample_bits: this.widths.size === 1 ? String([...this.widths][0]) : [...this.widths].sort().join(" and "),
        silent_input_s: number(this.deadSilence.samples / this.rate),
        microphone_bandwidth_hz: number(cut ? 1000 * cut : edge),
        filled_stretches_s: listStretches(this.sender.record),
        skipped_s: listTexts(skipped.map(({ second, ms }) => `${second}: ${(ms / 1000).toFixed(2)}`)),
        events: listEvents(this.events),
      },
    };
  }

  rest() {
    clearTimeout(this.deadline);
    if (this.wakeLock) this.wakeLock.release().catch(() => {});
    this.wakeLock = null;
  }

  leave() {
    this.end("abandoned");
  }

  // --- what earlier pages left ---

  async collect() {
    if (this.collecting) return;
    this.collecting = true;
    const before = this.senders.size;
    try {
      const isKnown = (take) => this.senders.has(take) || this.over.has(take);
      for (const leftover of await findLeftovers(this.keep, this.workspace, isKnown)) this.takeOver(leftover);
    } finally {
      this.collecting = false;
    }
    if (this.senders.size !== before) this.changed();
  }

  takeOver({ record, chunks, release }) {
    const sender = this.follow(record, release);
    for (const { index, bits, bytes } of chunks) {
      sender.chunks.set(index, { bits, bytes });
      sender.waiting.push(index);
    }
    if (!record.ending) {
      // The page died without a word: what it had kept is all there is, but for what got to the server before a power cut.
      const last = chunks[chunks.length - 1];
      const samples = last.index * record.rate + (8 * last.bytes.byteLength) / last.bits;
      const known = record.soFar || {};
      const lost_samples = Math.min(samples, known.lost_samples || 0);
      record.ending = { guessed: true, chunks: last.index + 1, samples, end: "abandoned", ...known, lost_samples };
    }
    sender.ending = record.ending;
    sender.run();
  }

  report() {
    const senders = this.ownSenders();
    return {
      phase: this.phase,
      take: this.currentSender ? this.currentSender.record.serverTake : this.saved,
      takes: senders.map(({ record }) => ({ take: record.serverTake, note: record.note })),
      renew: senders.some((sender) => !sender.permit && !sender.done) ? this.renewals : 0,
      unsupported: whyUnsupported() === "unsupported",
      webrtc: typeof RTCPeerConnection === "function",
    };
  }

  waitingSeconds() {
    let waiting = 0;
    for (const sender of this.ownSenders()) waiting += sender.chunks.size - sender.acknowledged.size;
    return waiting;
  }
}

function theRecorder() {
  const name = Symbol.for("heliograph.recorder");
  window[name] ||= new Recorder();
  return window[name];
}
