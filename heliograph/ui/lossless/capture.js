// One microphone of one page: check, recording, sending. It outlives the component that draws it, so that nothing a
// page does to its elements can cost sound.

const POST_ROLL_S = 0.3;
const GRACE_MS = 1500;
const LATE_S = 15; // A microphone that is away does not count to the limit; the clock does.
const FILL_MS = 2000; // Longer silence of the microphone than any hiccup: a call, a locked screen, a closed lid.

function whyUnsupported() {
  if (!window.isSecureContext) return "insecure";
  if (!navigator.mediaDevices || !navigator.mediaDevices.getUserMedia) return "insecure";
  if (!window.MediaStreamTrackProcessor && !window.AudioWorkletNode) return "unsupported";
  if (!window.indexedDB || !window.crypto.subtle) return "unsupported";
  return null;
}

function nameProblem(error) {
  if (error.name === "NotAllowedError") return "denied";
  if (error.name === "NotFoundError" || error.name === "OverconstrainedError") return "none";
  if (error.name === "NotReadableError" || error.name === "AbortError") return "in_use";
  if (error.name === "SecurityError") return "insecure";
  if (error.name === "NoOutputError") return "no_output";
  return "failed";
}

class Recorder {
  constructor() {
    this.keep = new Keep();
    this.phase = "off";
    this.problem = null;
    this.away = false;
    this.listeners = new Set();
    this.senders = new Map();
    this.level = { rms: 0, peak: 0 };
    this.seconds = 0;
    this.notes = new Set();
    this.renewals = 0;
    this.devices = [];
    window.addEventListener("pagehide", () => this.leave());
    document.addEventListener("visibilitychange", () => this.see());
  }

  configure({ base, workspace, note, max_s, permits }) {
    Object.assign(this, { base, workspace, maxSeconds: max_s, participantNote: note });
    for (const sender of this.senders.values()) sender.allow(permits[sender.record.take]);
    if (!this.opened) {
      this.opened = this.keep.open().then(() => this.collect());
      // The page before this one may take a moment to let go of its takes; another tab may be closed any time.
      setTimeout(() => this.collect(), 1500);
      setInterval(() => this.collect(), 10000);
    }
  }

  changed() {
    for (const listener of this.listeners) listener(this);
  }

  // --- the microphone ---

  async turnOn(deviceId) {
    if (this.phase === "asking" || this.phase === "recording") return;
    this.turnOff();
    const unsupported = whyUnsupported();
    this.problem = unsupported;
    if (unsupported) return this.changed();
    this.phase = "asking";
    this.changed();
    try {
      await this.opened;
      const wanted = { echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: { ideal: 2 } };
      if (deviceId) wanted.deviceId = { exact: deviceId };
      this.stream = await navigator.mediaDevices.getUserMedia({ audio: wanted, video: false });
      await this.listen();
      this.phase = "check";
    } catch (error) {
      this.turnOff();
      this.problem = nameProblem(error);
    }
    this.changed();
  }

  async listen() {
    const track = this.stream.getAudioTracks()[0];
    this.track = track;
    this.settings = track.getSettings();
    this.heard = new Channels();
    this.bandwidth = null;
    this.notes = new Set();
    this.away = false;
    track.onmute = () => this.miss("muted");
    track.onunmute = () => this.regain("unmuted");
    track.onended = () => this.lose();
    const hear = (block) => this.hear(block);
    this.source = window.MediaStreamTrackProcessor
      ? new TrackSource(track, hear)
      : new ContextSource(this.stream, this.settings.sampleRate, this.base, hear);
    await this.source.open();
    this.rate = this.source.rate;
    const { context } = this.source;
    if (context) {
      context.onstatechange = () => (context.state === "running" ? this.regain("resumed") : this.miss(context.state));
    }
    this.devices = (await navigator.mediaDevices.enumerateDevices()).filter((device) => device.kind === "audioinput");
  }

  turnOff() {
    if (this.source) this.source.end();
    if (this.track) this.track.onended = this.track.onmute = this.track.onunmute = null;
    if (this.stream) for (const track of this.stream.getTracks()) track.stop();
    this.source = this.track = this.stream = null;
    this.away = false;
    this.level = { rms: 0, peak: 0 };
    this.phase = "off";
  }

  lose() {
    this.note("ended");
    this.problem = "ended";
    if (this.phase === "recording") this.end("stopped");
    this.turnOff();
    this.changed();
  }

  // Taken away by a call, a locked screen or another program; it may come back.
  miss(what) {
    this.away = true;
    this.note(what);
    this.changed();
  }

  regain(what) {
    this.away = false;
    this.note(what);
    this.changed();
  }

  see() {
    this.note(document.hidden ? "hidden" : "visible");
    if (document.hidden || !this.source) return;
    const { context } = this.source;
    if (context && context.state !== "running") context.resume().catch(() => {});
    if (this.phase === "recording") this.stayAwake();
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

  note(what) {
    if (this.phase !== "recording") return;
    const since = Math.max(0, performance.now() - (this.startedAt ?? this.pressedAt));
    this.events.push(`${(since / 1000).toFixed(1)} ${what}`);
    this.notes.add(what);
    this.changed();
  }

  // --- the sound ---

  hear(block) {
    const { left, right, rate } = block;
    this.heard.feed(left, right);
    if (this.phase !== "recording") this.channel = this.heard.choose();
    const samples = this.channel === "right" && right ? right : left;
    this.bandwidth ||= new Bandwidth(rate);
    this.bandwidth.feed(samples);
    let sum = 0;
    let peak = 0;
    for (let at = 0; at < samples.length; at += 1) {
      const value = Math.abs(samples[at]);
      sum += value * value;
      if (value > peak) peak = value;
    }
    this.level = { rms: Math.sqrt(sum / samples.length), peak: Math.max(peak, this.level.peak * 0.96), at: performance.now() };
    if (this.phase === "recording") this.record(block, samples);
  }

  start() {
    if (this.phase !== "check") return null;
    const take = toHex(crypto.getRandomValues(new Uint8Array(12)));
    this.piece = new Float32Array(this.rate);
    this.filled = 0;
    this.pieces = 0;
    this.recorded = 0;
    this.filledIn = [];
    this.lostTime = new LostTime(this.rate);
    this.absent = 0;
    this.widths = new Set();
    this.events = [];
    this.notes = new Set();
    this.expected = null;
    this.limit = Math.round(this.maxSeconds * this.rate);
    this.startedAt = null;
    this.pressedAt = performance.now();
    this.problem = null;
    this.ending = false;
    const facts = this.facts();
    const record = { take, note: this.participantNote, workspace: this.workspace, rate: this.rate, facts, filledIn: this.filledIn };
    this.sender = this.follow(record);
    this.take = take;
    this.phase = "recording";
    this.stayAwake();
    this.deadline = setTimeout(() => this.stop("full_length"), 1000 * (this.maxSeconds + LATE_S));
    this.sender.run();
    this.changed();
    return take;
  }

  follow(record) {
    const sender = new Sender(record, { base: this.base, keep: this.keep, changed: () => this.changed() });
    this.senders.set(record.take, sender);
    sender.closed.then(() => {
      this.senders.delete(record.take);
      if (this.take === record.take) this.take = null;
      if (this.phase === "sending") this.phase = this.source ? "check" : "off";
      this.changed();
    });
    return sender;
  }

  facts() {
    const { settings, source } = this;
    const { context } = source;
    return {
      capture: "lossless",
      echo_cancellation: onOff(settings.echoCancellation),
      noise_suppression: onOff(settings.noiseSuppression),
      auto_gain_control: onOff(settings.autoGainControl),
      device_rate_hz: number(settings.sampleRate),
      device_channels: number(settings.channelCount),
      device_bits: number(settings.sampleSize),
      device_latency_ms: number(settings.latency, 1000),
      captured_by: source.name,
      captured_rate_hz: number(this.rate),
      context_latency_ms: context ? number(context.baseLatency, 1000) : "none",
    };
  }

  record({ frame, absent, at }, samples) {
    const lasts = (1000 * samples.length) / this.rate;
    if (at + lasts < this.pressedAt) return; // Heard before Start and taken from the queue after it.
    if (this.startedAt === null) this.startedAt = at;
    else this.fillIn(frame - this.expected, at - this.lastAt);
    this.expected = frame + samples.length;
    this.absent += absent;
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

  // Silence for what is known to be missing before the next sample, so that time stays true.
  fillIn(skipped, pausedMs) {
    const paused = pausedMs > FILL_MS ? Math.round((pausedMs / 1000) * this.rate) : 0;
    const missing = Math.min(Math.max(skipped, paused), this.limit - this.recorded);
    if (missing <= 0) return;
    this.filledIn.push([this.recorded, this.recorded + missing]);
    this.write(new Float32Array(missing));
    this.keep.put("takes", this.sender.record); // So that the next page knows, should this one not get to its end.
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
    this.sender.add(this.pieces, bits, bytes);
    this.pieces += 1;
    this.filled = 0;
  }

  async stop(end = "stopped") {
    if (this.phase !== "recording" || this.ending) return;
    this.ending = true;
    this.changed();
    await new Promise((done) => setTimeout(done, POST_ROLL_S * 1000));
    if (this.phase === "recording" && this.source && !this.away) {
      await Promise.race([this.source.flush(), sleep(this.source.patience)]);
    }
    this.end(end);
  }

  // Seals what there is and lets the sender finish; at once, so that a page that is being left can still do it.
  end(how) {
    if (this.phase !== "recording") return;
    this.seal();
    this.phase = "sending";
    clearTimeout(this.deadline);
    if (this.wakeLock) this.wakeLock.release().catch(() => {});
    this.wakeLock = null;
    const skipped = this.lostTime.find();
    const { cut, edge } = this.bandwidth || {};
    const facts = {
      channels: this.heard.describe(this.channel),
      sample_bits: this.widths.size === 1 ? String([...this.widths][0]) : [...this.widths].sort().join(" and "),
      silent_input_s: number(this.absent / this.rate),
      microphone_bandwidth_hz: number(cut ? 1000 * cut : edge),
      filled_stretches_s: listStretches(this.sender.record),
      skipped_s: listTexts(skipped.map(({ second, ms }) => `${second}: ${(ms / 1000).toFixed(2)}`)),
      events: listTexts(this.events),
    };
    if (!this.pieces) {
      this.sender.refused = "empty";
      this.sender.wake();
      return;
    }
    this.sender.finish({
      chunks: this.pieces,
      samples: this.recorded,
      end: how,
      wall_clock_s: Math.max(0, (this.lastAt - this.startedAt) / 1000),
      lost_samples: countFilled(this.sender.record),
      skipped_samples: Math.round(skipped.reduce((ms, one) => ms + one.ms, 0) * (this.rate / 1000)),
      facts,
    });
    this.changed();
  }

  leave() {
    this.end("abandoned");
  }

  // --- what earlier pages left ---

  async collect() {
    if (!this.keep.database || this.collecting) return;
    this.collecting = true;
    const before = this.senders.size;
    for (const { record, chunks } of await findLeftovers(this.keep, this.workspace, this.senders)) {
      const sender = this.follow(record);
      for (const { index, bits, bytes } of chunks) {
        sender.chunks.set(index, { bits, bytes });
        sender.waiting.push(index);
      }
      if (!record.ending) {
        // The page died without a word: what it had kept is all there is.
        const size = ({ bits, bytes }) => (8 * bytes.byteLength) / bits;
        const samples = (chunks.length - 1) * record.rate + size(chunks[chunks.length - 1]);
        const facts = { filled_stretches_s: listStretches(record) };
        const lost_samples = Math.min(samples, countFilled(record));
        record.ending = { chunks: chunks.length, samples, end: "abandoned", wall_clock_s: 0, lost_samples, facts };
      }
      sender.ending = record.ending;
      sender.run();
    }
    this.collecting = false;
    if (this.senders.size !== before) this.changed();
  }

  report() {
    return {
      phase: this.phase,
      take: this.take || null,
      takes: [...this.senders.values()].map(({ record }) => ({ take: record.take, note: record.note })),
      renew: [...this.senders.values()].some((sender) => !sender.permit && !sender.done) ? this.renewals : 0,
      unsupported: whyUnsupported() === "unsupported",
    };
  }

  waitingSeconds() {
    let waiting = 0;
    for (const sender of this.senders.values()) waiting += sender.chunks.size - sender.acknowledged.size;
    return waiting;
  }
}

function theRecorder() {
  const name = Symbol.for("heliograph.recorder");
  window[name] ||= new Recorder();
  return window[name];
}
