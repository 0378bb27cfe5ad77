// The microphone: which one, whether it may be used, what it hears. A subclass tells the person (`changed`), marks what
// happens while it records (`mark`), and is given each block of sound (`record`) and the end of it all (`end`).

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
  if (error.name === "NoServerError") return "no_server";
  return "failed";
}

const BEAT_MS = 500;
const STALL_BEATS = 4; // In a row without sound. They stand still as long as the page is too busy to take any.

// The microphone that somebody chose, for the recordings to come and the next visit.
const CHOSEN = "heliograph.microphone";
function loadChosen() {
  try {
    return localStorage.getItem(CHOSEN);
  } catch (error) {
    return null;
  }
}
function saveChosen(deviceId) {
  try {
    localStorage.setItem(CHOSEN, deviceId);
  } catch (error) {
    // A browser that keeps nothing.
  }
}

class Microphone {
  constructor() {
    this.phase = "off";
    this.problem = whyUnsupported();
    this.notice = null;
    this.absences = new Set();
    this.isOther = false;
    this.level = { rms: 0, peak: 0 };
    this.happened = new Set();
    this.devices = [];
    if (navigator.mediaDevices) navigator.mediaDevices.addEventListener("devicechange", () => this.listDevices());
    document.addEventListener("visibilitychange", () => this.see());
    this.watchPermission();
  }

  // Said before anybody presses a button, where the browser tells, and taken back once the microphone is allowed.
  async watchPermission() {
    let permission;
    try {
      permission = await navigator.permissions.query({ name: "microphone" });
    } catch (error) {
      return;
    }
    permission.onchange = () => {
      if (this.phase !== "off") return;
      if (permission.state === "denied") this.problem ||= "denied";
      else if (this.problem === "denied") this.problem = null;
      this.changed();
    };
    permission.onchange();
  }

  // Whether it is taken away for any reason right now: one may be over before another.
  get away() {
    return this.absences.size > 0;
  }

  async turnOn() {
    if (this.phase === "asking" || this.phase === "recording") return;
    this.turnOff();
    this.problem = whyUnsupported();
    this.notice = null;
    if (this.problem) return this.changed();
    this.phase = "asking";
    const turning = (this.turning = {});
    this.changed();
    try {
      await this.opened;
      const stream = await this.askMicrophone();
      if (this.turning !== turning) {
        // The page was left before the browser had asked.
        for (const track of stream.getTracks()) track.stop();
        return;
      }
      this.stream = stream;
      await this.listen();
      if (this.turning === turning && this.phase === "asking") this.phase = "check";
      this.onSince = now();
    } catch (error) {
      if (this.turning !== turning) return;
      this.turnOff();
      this.problem = nameProblem(error);
      if (["none", "in_use", "failed"].includes(this.problem)) saveChosen(""); // The next try takes another one.
    }
    this.changed();
  }

  async askMicrophone() {
    const wanted = { echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: { ideal: 2 } };
    const known = navigator.mediaDevices.getSupportedConstraints?.() || {};
    if (known.voiceIsolation) wanted.voiceIsolation = false;
    const ask = (audio) => navigator.mediaDevices.getUserMedia({ audio, video: false });
    this.isOther = false;
    const chosen = loadChosen();
    if (!chosen) return ask(wanted);
    try {
      return await ask({ ...wanted, deviceId: { exact: chosen } });
    } catch (error) {
      if (["NotAllowedError", "SecurityError"].includes(error.name)) throw error;
      this.isOther = true;
      return ask(wanted);
    }
  }

  async listDevices() {
    if (!this.source) return;
    this.devices = (await navigator.mediaDevices.enumerateDevices()).filter(({ kind }) => kind === "audioinput");
    this.changed();
  }

  async listen() {
    const track = this.stream.getAudioTracks()[0];
    this.track = track;
    this.settings = track.getSettings();
    this.heard = new Channels();
    this.bandwidth = null;
    this.happened = new Set();
    this.absences.clear();
    track.onmute = () => this.miss("muted");
    track.onunmute = () => this.regain("muted", "unmuted");
    track.onended = () => this.lose();
    const hear = (block) => this.hear(block);
    const lose = () => this.lose();
    const source = window.MediaStreamTrackProcessor
      ? new TrackSource(track, hear, lose)
      : new ContextSource(this.stream, this.settings.sampleRate, this.base, hear, lose);
    this.source = source;
    await source.open();
    if (this.source !== source) return; // Turned off meanwhile.
    this.rate = source.rate;
    this.silentBeats = 0;
    this.heart = setInterval(() => this.beat(), BEAT_MS);
    const { context } = source;
    if (context) {
      context.onstatechange = () =>
        context.state === "running" ? this.regain("context", "resumed") : this.miss("context", context.state);
    }
    await this.listDevices();
  }

  turnOff() {
    this.turning = null;
    clearInterval(this.heart);
    if (this.source) this.source.end();
    if (this.track) this.track.onended = this.track.onmute = this.track.onunmute = null;
    if (this.stream) for (const track of this.stream.getTracks()) track.stop();
    this.source = this.track = this.stream = null;
    this.absences.clear();
    this.level = { rms: 0, peak: 0 };
    this.phase = "off";
  }

  // For good, to be turned on again by the person.
  lose(why = "ended") {
    this.mark(why);
    this.problem = why;
    if (this.phase === "recording") this.end("stopped");
    this.turnOff();
    this.changed();
  }

  // Taken away by a call, a locked screen or another program; it may come back.
  miss(cause, what = cause, since = now()) {
    this.absences.add(cause);
    this.level = { rms: 0, peak: 0 };
    if (this.source.flushed) this.source.flushed(); // Nothing is on its way.
    this.mark(what, since);
    this.changed();
  }

  // It is back when no cause is left.
  regain(cause, what) {
    if (!this.absences.delete(cause)) return;
    this.silentBeats = 0;
    if (!this.away) this.mark(what);
    this.resume();
    this.changed();
  }

  // A microphone may also fall silent without a word.
  beat() {
    this.silentBeats += 1;
    if (this.silentBeats < STALL_BEATS) return;
    if (!this.away) this.miss("stalled", "interrupted", this.level.at);
    this.resume();
  }

  // After a call not every browser runs a context again by itself.
  resume() {
    const { context } = this.source;
    if (context && context.state !== "running") context.resume().catch(() => {});
  }

  see() {
    this.mark(document.hidden ? "hidden" : "visible");
    if (document.hidden || !this.source) return;
    this.resume();
    if (this.phase === "recording") this.stayAwake();
  }

  hear(block) {
    const { left, right, rate } = block;
    if (rate !== this.rate) {
      if (this.phase === "recording") return this.lose("rate");
      this.rate = rate;
      this.bandwidth = null;
    }
    this.silentBeats = 0;
    this.regain("stalled", "resumed");
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
    this.level = { rms: Math.sqrt(sum / samples.length), peak: Math.max(peak, this.level.peak * 0.96), at: now() };
    if (this.phase === "recording") this.record(block, samples);
  }
}
