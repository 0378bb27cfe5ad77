// One microphone of one page: check, recording, sending. It outlives the component that draws it, so that nothing a
// page does to its elements can cost sound.

const POST_ROLL_S = 0.3;
const GRACE_MS = 1500;
const RESUME_PATIENCE_MS = 3000;
const QUEUE_S = 10;
const TRACK_BUFFERS = 100 * QUEUE_S; // Of some 10 ms each.

const onOff = (value) => (value === true ? "on" : value === false ? "off" : "unknown");
const number = (value, scale = 1) => (Number.isFinite(value) ? String(Math.round(value * scale * 100) / 100) : "unknown");

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
  return "failed";
}

// How a browser made numbers of a device's 16 bits: all divided by 32768, or (Chromium) what is above zero by 32767.
// 32-bit floats are exact in the first case, and in the second to a small part of a step.
const DIVISORS = [[32768, 0], [32767, 0.004]];

function findDivisor(samples, count) {
  return DIVISORS.find(([divisor, tolerance]) => {
    for (let at = 0; at < count; at += 1) {
      const value = samples[at];
      const steps = value * (value > 0 ? divisor : 32768);
      if (Math.abs(steps - Math.round(steps)) > (value > 0 ? tolerance : 0) || Math.abs(steps) > 32768) return false;
    }
    return true;
  });
}

// The device's own 16 bits where every sample is one of them, else 24: nothing is rounded that was not rounded before.
function pack(samples, count) {
  const found = findDivisor(samples, count);
  const size = found ? 2 : 3;
  const bytes = new ArrayBuffer(count * size);
  const view = new DataView(bytes);
  for (let at = 0; at < count; at += 1) {
    const sample = samples[at];
    if (found) {
      const steps = Math.round(sample * (sample > 0 ? found[0] : 32768));
      view.setInt16(2 * at, Math.min(32767, steps), true);
    } else {
      const value = Math.max(-8388608, Math.min(8388607, Math.round(sample * 8388608)));
      view.setUint8(3 * at, value & 255);
      view.setInt16(3 * at + 1, value >> 8, true);
    }
  }
  return { bits: 8 * size, bytes };
}

class Recorder {
  constructor() {
    this.keep = new Keep();
    this.phase = "off";
    this.problem = null;
    this.listeners = new Set();
    this.senders = new Map();
    this.level = { rms: 0, peak: 0 };
    this.seconds = 0;
    this.notes = new Set();
    this.renewals = 0;
    this.devices = [];
    window.addEventListener("pagehide", () => this.leave());
    document.addEventListener("visibilitychange", () => this.note(document.hidden ? "hidden" : "visible"));
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
    this.heard = { left: 0, right: 0, difference: 0, samples: 0, stereo: false };
    this.notes = new Set();
    this.context = this.rate = this.apart = null;
    track.onmute = () => this.note("muted");
    track.onunmute = () => this.note("unmuted");
    track.onended = () => this.lose();
    await (window.MediaStreamTrackProcessor ? this.listenToTrack(track) : this.listenInContext());
    this.devices = (await navigator.mediaDevices.enumerateDevices()).filter((device) => device.kind === "audioinput");
  }

  // Straight from the track, with a queue of seconds: a computer too busy to draw loses no sound. Chromium only.
  async listenToTrack(track) {
    const processor = new MediaStreamTrackProcessor({ track, maxBufferSize: TRACK_BUFFERS });
    const reader = processor.readable.getReader();
    let frame = 0;
    const take = (data) => {
      const size = data.numberOfFrames;
      const [left, right] = [0, 1].map((planeIndex) => {
        if (planeIndex >= data.numberOfChannels) return null;
        const samples = new Float32Array(size);
        data.copyTo(samples, { planeIndex, format: "f32-planar" });
        return samples;
      });
      this.rate = data.sampleRate;
      const at = this.placeInTime(data.timestamp / 1000, (1000 * size) / data.sampleRate);
      data.close();
      this.hear({ frame, left, right, absent: 0, at });
      frame += size;
    };
    const first = await reader.read();
    if (first.done) throw new DOMException("", "NotReadableError");
    take(first.value);
    // Flushed when a block was taken that was heard after this was asked for.
    this.tap = { flush: () => (this.flushAt = performance.now()), end: () => reader.cancel().catch(() => {}) };
    const follow = async () => {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        take(value);
      }
    };
    follow().catch(() => {});
  }

  // When a block was heard, on the page's clock: a busy page takes blocks from the queue long after. The quickest
  // block so far tells how far the two clocks are apart.
  placeInTime(stamp, lasts) {
    const now = performance.now();
    this.apart = Math.min(this.apart ?? Infinity, now - stamp - lasts);
    const at = stamp + this.apart;
    return Math.abs(now - at) < 1000 * QUEUE_S ? at : now - lasts;
  }

  // Through the audio thread of a context at the microphone's own rate.
  async listenInContext() {
    const rate = this.settings.sampleRate;
    const open = (options) => {
      this.context = new AudioContext({ latencyHint: "playback", ...options });
      return this.context.createMediaStreamSource(this.stream);
    };
    let source;
    try {
      source = open(rate ? { sampleRate: rate } : {});
    } catch (error) {
      // Some browsers don't take a microphone at a rate other than their own, nor tell the microphone's.
      if (this.context) this.context.close();
      source = open({});
    }
    const context = this.context;
    await context.audioWorklet.addModule(`${this.base}/worklet.js`);
    const node = new AudioWorkletNode(context, "heliograph-tap", { numberOfInputs: 1, outputChannelCount: [1] });
    node.port.onmessage = (event) => this.hear(event.data);
    source.connect(node);
    node.connect(context.destination); // It puts silence out; unconnected it would not run.
    this.tap = { flush: () => node.port.postMessage("flush"), end: () => node.port.postMessage("end") };
    this.rate = context.sampleRate;
    context.onstatechange = () => this.note(context.state === "running" ? "resumed" : context.state);
    // Firefox does not run a context on a computer without any sound output.
    if (context.state !== "running") await Promise.race([context.resume(), sleep(RESUME_PATIENCE_MS)]);
    if (context.state !== "running") throw new Error("the context does not run");
  }

  turnOff() {
    if (this.tap) this.tap.end();
    if (this.track) this.track.onended = this.track.onmute = this.track.onunmute = null;
    if (this.stream) for (const track of this.stream.getTracks()) track.stop();
    if (this.context) {
      this.context.onstatechange = null;
      this.context.close().catch(() => {});
    }
    this.tap = this.track = this.stream = this.context = null;
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

  note(what) {
    if (this.phase !== "recording") return;
    this.events.push(`${(this.recorded / this.rate).toFixed(1)} ${what}`);
    this.notes.add(what);
    this.changed();
  }

  // --- the sound ---

  hear(message) {
    if (message.flushed) {
      if (this.whenFlushed) this.whenFlushed();
      return;
    }
    const { frame, left, right, absent, at } = message;
    this.compare(left, right);
    const samples = this.channel === "right" && right ? right : left;
    let sum = 0;
    let peak = 0;
    for (let at = 0; at < samples.length; at += 1) {
      const value = Math.abs(samples[at]);
      sum += value * value;
      if (value > peak) peak = value;
    }
    this.level = { rms: Math.sqrt(sum / samples.length), peak: Math.max(peak, this.level.peak * 0.96), at: performance.now() };
    if (this.phase === "recording") this.record(frame, samples, absent, at);
    if (at !== undefined && this.flushAt && at >= this.flushAt && this.whenFlushed) this.whenFlushed();
  }

  // A dead or differing channel is noticed; from Start on the same channel is kept to the end.
  compare(left, right) {
    const heard = this.heard;
    heard.samples += left.length;
    for (let at = 0; at < left.length; at += 1) {
      heard.left += left[at] * left[at];
      if (right) {
        heard.right += right[at] * right[at];
        heard.difference += (left[at] - right[at]) ** 2;
      }
    }
    if (right) heard.stereo = true;
    if (this.phase !== "recording") this.channel = this.chooseChannel();
  }

  chooseChannel() {
    const { left, right, stereo, difference } = this.heard;
    return stereo && difference > 0 && right > 4 * left ? "right" : "left";
  }

  describeChannels() {
    const { left, right, stereo, difference } = this.heard;
    if (!stereo) return "one";
    if (difference === 0) return "two, equal";
    const louder = Math.max(left, right);
    if (Math.min(left, right) < louder / 1e6) return `two, one dead, ${this.channel} taken`;
    return `two, different, ${this.channel} taken`;
  }

  start() {
    if (this.phase !== "check") return null;
    const take = toHex(crypto.getRandomValues(new Uint8Array(12)));
    this.piece = new Float32Array(this.rate);
    this.filled = 0;
    this.pieces = 0;
    this.recorded = 0;
    this.lost = 0;
    this.absent = 0;
    this.widths = new Set();
    this.events = [];
    this.notes = new Set();
    this.expected = null;
    this.limit = Math.round(this.maxSeconds * this.rate);
    this.startedAt = null;
    this.pressedAt = performance.now();
    this.flushAt = this.whenFlushed = null;
    this.problem = null;
    this.ending = false;
    const record = { take, note: this.participantNote, workspace: this.workspace, rate: this.rate, facts: this.facts() };
    this.sender = this.follow(record);
    this.take = take;
    this.phase = "recording";
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
      if (this.phase === "sending") this.phase = this.tap ? "check" : "off";
      this.changed();
    });
    return sender;
  }

  facts() {
    const { settings, context } = this;
    return {
      capture: "lossless",
      echo_cancellation: onOff(settings.echoCancellation),
      noise_suppression: onOff(settings.noiseSuppression),
      auto_gain_control: onOff(settings.autoGainControl),
      device_rate_hz: number(settings.sampleRate),
      device_channels: number(settings.channelCount),
      device_bits: number(settings.sampleSize),
      device_latency_ms: number(settings.latency, 1000),
      captured_by: context ? "audio context" : "media track",
      captured_rate_hz: number(this.rate),
      context_latency_ms: context ? number(context.baseLatency, 1000) : "none",
    };
  }

  record(frame, samples, absent, heardAt) {
    const lasts = (1000 * samples.length) / this.rate;
    const at = heardAt ?? performance.now() - lasts;
    if (at + lasts < this.pressedAt) return; // Heard before Start and taken from the queue after it.
    if (this.startedAt === null) this.startedAt = at;
    // What the audio thread skipped is filled in, so that time stays true, and counted.
    const skipped = this.expected === null ? 0 : Math.max(0, frame - this.expected);
    this.expected = frame + samples.length;
    if (skipped) {
      this.lost += skipped;
      this.write(new Float32Array(Math.min(skipped, this.limit - this.recorded)));
    }
    this.absent += absent;
    this.write(samples);
    this.lastAt = at + lasts;
    const second = Math.floor(this.recorded / this.rate);
    if (second !== this.seconds) {
      this.seconds = second;
      this.changed();
    }
    if (this.recorded >= this.limit) this.end("full_length");
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
    if (this.phase === "recording" && this.tap) {
      await Promise.race([
        new Promise((done) => {
          this.whenFlushed = done;
          this.tap.flush();
        }),
        new Promise((done) => setTimeout(done, this.context ? 1000 : 1000 * QUEUE_S)),
      ]);
    }
    this.end(end);
  }

  // Seals what there is and lets the sender finish; at once, so that a page that is being left can still do it.
  end(how) {
    if (this.phase !== "recording") return;
    this.seal();
    this.phase = "sending";
    const facts = {
      channels: this.describeChannels(),
      sample_bits: this.widths.size === 1 ? String([...this.widths][0]) : [...this.widths].sort().join(" and "),
      silent_input_s: number(this.absent / this.rate),
      events: this.events.join("; ").slice(0, 200) || "none",
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
      lost_samples: this.lost,
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
        record.ending = { chunks: chunks.length, samples, end: "abandoned", wall_clock_s: 0, lost_samples: 0, facts: {} };
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
