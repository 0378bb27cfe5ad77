// What a person sees of the recorder: microphone, level, words, buttons. Told everything else by the page's data.

const FLOOR_DBFS = -60;
const toShare = (amplitude) => Math.min(1, Math.max(0, 1 - (20 * Math.log10(amplitude || 1e-9)) / FLOOR_DBFS));

class View {
  constructor(root) {
    const find = (selector) => root.querySelector(selector);
    this.recorder = theRecorder();
    this.parts = {
      device: find(".device"), select: find("select"), meter: find(".meter"), fill: find(".fill"), peak: find(".peak"),
      status: find(".status"), notes: find(".notes"), on: find(".on"), start: find(".start"), stop: find(".stop"),
      again: find(".again"),
    };
    const { on, start, stop, again, select } = this.parts;
    on.onclick = () => this.recorder.turnOn(this.chosen);
    start.onclick = () => {
      if (this.recorder.start()) stop.focus();
    };
    stop.onclick = () => this.recorder.stop();
    again.onclick = () => this.recorder.stop("abandoned");
    select.onchange = () => {
      this.chosen = select.value;
      this.recorder.turnOn(this.chosen);
    };
    this.listener = () => this.draw();
    this.said = "";
  }

  update({ data, setStateValue }) {
    this.words = data.words;
    this.setStateValue = setStateValue;
    clearTimeout(this.recorder.leaving);
    this.recorder.listeners.add(this.listener);
    this.recorder.configure(data);
    if (!this.label) {
      this.label = true;
      for (const name of ["on", "start", "stop", "again"]) this.parts[name].textContent = this.words[name];
      this.parts.device.querySelector("label").textContent = this.words.device;
      this.parts.meter.setAttribute("aria-label", this.words.level);
    }
    if (!this.timer) this.timer = setInterval(() => this.drawLevel(), 60);
    this.draw();
  }

  // The element is gone. When no other takes its place soon, the page was left.
  leave() {
    clearInterval(this.timer);
    this.timer = null;
    const recorder = this.recorder;
    recorder.listeners.delete(this.listener);
    clearTimeout(recorder.leaving);
    recorder.leaving = setTimeout(() => {
      if (recorder.listeners.size) return;
      recorder.leave();
      recorder.turnOff();
    }, GRACE_MS);
  }

  tell() {
    const sender = [...this.recorder.senders.values()].find(({ needsPermit }) => needsPermit);
    if (sender) {
      sender.needsPermit = false;
      this.recorder.renewals += 1;
    }
    const report = this.recorder.report();
    const text = JSON.stringify(report);
    if (text === this.reported) return;
    this.reported = text;
    this.setStateValue("report", report);
  }

  draw() {
    const { recorder, parts, words } = this;
    const { phase } = recorder;
    const show = (part, shown) => (part.hidden = !shown);
    show(parts.on, phase === "off" || phase === "asking");
    parts.on.disabled = phase === "asking";
    show(parts.start, phase === "check");
    show(parts.stop, phase === "recording");
    show(parts.again, phase === "recording");
    parts.stop.disabled = parts.again.disabled = recorder.ending === true;
    show(parts.meter, phase === "check" || phase === "recording");
    show(parts.device, phase === "check" && recorder.devices.length > 1);
    this.drawDevices();
    parts.status.classList.toggle("problem", (phase === "off" && recorder.problem !== null) || recorder.away);
    this.say(this.describe());
    const notes = this.describeNotes().join(" ");
    if (parts.notes.textContent !== notes) parts.notes.textContent = notes;
    show(parts.notes, notes !== "");
    this.tell();
    parts.status.dataset.phase = phase;
  }

  drawDevices() {
    const { devices, settings } = this.recorder;
    const names = devices.map(({ deviceId, label }) => `${deviceId} ${label}`).join();
    if (names === this.names) return;
    this.names = names;
    this.parts.select.replaceChildren(
      ...devices.map(({ deviceId, label }, at) => new Option(label || `${this.words.device} ${at + 1}`, deviceId)),
    );
    if (settings) this.parts.select.value = settings.deviceId;
  }

  say(text) {
    if (text === this.said) return;
    this.said = text;
    this.parts.status.textContent = text;
  }

  describe() {
    const { recorder, words } = this;
    const waiting = recorder.waitingSeconds();
    const sender = recorder.take ? recorder.senders.get(recorder.take) : null;
    if (recorder.phase === "asking") return words.asking;
    if (recorder.phase === "recording") {
      if (recorder.ending) return words.ending;
      if (recorder.away) return words.away;
      if (sender && sender.troubled && waiting > 1) return words.outage.replace("{seconds}", waiting);
      return words.recording;
    }
    if (recorder.phase === "sending") {
      return (sender && sender.troubled ? words.unsent : words.sending).replace("{seconds}", waiting);
    }
    if (recorder.problem) return words[recorder.problem];
    if (recorder.phase === "check") return recorder.away ? words.away : this.advise();
    return waiting ? words.sending.replace("{seconds}", waiting) : words.off;
  }

  advise() {
    const { words } = this;
    const now = performance.now();
    if (now - (this.advisedAt || 0) < 700) return this.advice;
    this.advisedAt = now;
    const { rms, peak } = this.recorder.level;
    this.advice = peak > 0.89 ? words.too_loud : rms > 0.0056 ? words.good : peak > 0.0003 ? words.quiet : words.nothing;
    if (this.advice !== words.nothing) this.heardAt = now;
    else if (this.heardAt && now - this.heardAt < 3000) this.advice = words.good;
    return this.advice;
  }

  describeNotes() {
    const { recorder, words } = this;
    const notes = [];
    if (recorder.phase === "off") return notes;
    const { settings, notes: happened } = recorder;
    const cut = recorder.bandwidth && recorder.bandwidth.cut;
    if (cut) notes.push(words.narrow.replace("{khz}", cut));
    for (const [name, key] of [["echoCancellation", "echo"], ["noiseSuppression", "noise"], ["autoGainControl", "gain"]]) {
      if (settings && settings[name] === true) notes.push(words[key]);
    }
    const channels = recorder.heard && recorder.heard.samples > 48000 ? recorder.heard.describe(recorder.channel) : "";
    if (channels.includes("dead")) notes.push(words.dead_channel);
    else if (channels.includes("different")) notes.push(words.channels_differ);
    if (recorder.away) return notes; // It says so itself.
    if (happened.has("muted") || happened.has("interrupted") || happened.has("suspended")) notes.push(words.interrupted);
    else if (happened.has("hidden")) notes.push(words.hidden);
    return notes;
  }

  drawLevel() {
    const { recorder, parts, words } = this;
    if (parts.meter.hidden) return;
    const { rms, peak, at } = recorder.level;
    const fresh = at && performance.now() - at < 500;
    const share = fresh ? toShare(rms) : 0;
    parts.fill.style.transform = `scaleX(${share})`;
    parts.fill.dataset.level = peak > 0.99 ? "high" : share > 0.25 ? "good" : "low";
    parts.peak.style.left = `${100 * (fresh ? toShare(peak) : 0)}%`;
    const now = performance.now();
    if (now - (this.meteredAt || 0) > 1000) {
      this.meteredAt = now;
      const dbfs = Math.round(Math.max(FLOOR_DBFS, 20 * Math.log10(rms || 1e-9)));
      parts.meter.setAttribute("aria-valuenow", dbfs);
      parts.meter.setAttribute("aria-valuetext", `${dbfs} dBFS`);
      if (recorder.phase === "check") this.draw();
    }
  }
}

export default function (component) {
  const root = component.parentElement;
  root.heliographView ||= new View(root);
  root.heliographView.update(component);
  return () => root.heliographView.leave();
}
