// What a person sees of the recorder: microphone, level, words, buttons. Told everything else by the page's data.

const FLOOR_DBFS = -60;
const DOUBT_MS = 3000; // So long nothing may be heard of a microphone that was just turned on.
const toShare = (amplitude) => Math.min(1, Math.max(0, 1 - (20 * Math.log10(amplitude || 1e-9)) / FLOOR_DBFS));

const PROCESSING = [
  ["echoCancellation", "echo"],
  ["noiseSuppression", "noise"],
  ["autoGainControl", "gain"],
  ["voiceIsolation", "isolation"],
];

class View {
  constructor(root) {
    const find = (selector) => root.querySelector(selector);
    this.recorder = theRecorder();
    this.parts = {
      device: find(".device"), select: find("select"), meter: find(".meter"), fill: find(".fill"), peak: find(".peak"),
      status: find(".status"), notes: find(".notes"), on: find(".on"), start: find(".start"), stop: find(".stop"),
      again: find(".again"), count: find(".count"),
    };
    const { on, start, stop, again, select } = this.parts;
    const turnOn = (then) => {
      this.focusNext = then;
      this.recorder.turnOn();
    };
    on.onclick = () => turnOn(start);
    start.onclick = () => {
      if (this.recorder.start()) stop.focus();
    };
    const stopWith = (how) => {
      this.focusNext = start;
      this.recorder.stop(how);
    };
    stop.onclick = () => stopWith("stopped");
    again.onclick = () => stopWith("abandoned");
    select.onchange = () => {
      saveChosen(select.value);
      turnOn(select);
    };
    this.listener = () => this.draw();
    this.said = "";
  }

  update({ data, setStateValue }) {
    this.words = data.words;
    this.headless = data.headless;
    this.setStateValue = setStateValue;
    if (this.headless) {
      this.recorder.couriers.add(this);
      this.reported ??= JSON.stringify({ takes: [], renew: 0 }); // Nothing to tell as long as nothing waits.
    } else {
      clearTimeout(this.recorder.leaving);
      this.recorder.views.add(this);
      this.recorder.path = location.pathname;
    }
    this.recorder.listeners.add(this.listener);
    this.recorder.configure(data);
    if (!this.label) {
      this.label = true;
      for (const name of ["on", "start", "stop", "again"]) this.parts[name].textContent = this.words[name];
      this.parts.device.querySelector("label").textContent = this.words.device;
      this.parts.meter.setAttribute("aria-label", this.words.level);
    }
    if (!this.timer && !this.headless) this.timer = setInterval(() => this.drawLevel(), 60);
    this.draw();
  }

  // The element is gone. When no other takes its place soon, the page was left; while something is recorded a slow
  // server has more time to draw it again, as long as nothing shows that it won't.
  leave() {
    clearInterval(this.timer);
    this.timer = null;
    const recorder = this.recorder;
    recorder.listeners.delete(this.listener);
    recorder.couriers.delete(this);
    if (!recorder.views.delete(this)) return;
    const since = now();
    const check = () => {
      if (recorder.views.size) return;
      this.markPage("");
      const isHere = location.pathname === recorder.path && !recorder.couriers.size && now() - since < SLOW_MS;
      if (recorder.phase === "recording" && isHere) return waitAndCheck();
      recorder.leave();
      recorder.turnOff();
    };
    const waitAndCheck = () => {
      clearTimeout(recorder.leaving);
      recorder.leaving = setTimeout(check, GRACE_MS);
    };
    waitAndCheck();
  }

  tell() {
    const sender = this.recorder.ownSenders().find(({ needsPermit }) => needsPermit);
    if (sender) {
      sender.needsPermit = false;
      this.recorder.renewals += 1;
    }
    const report = this.makeReport();
    const text = JSON.stringify(report);
    if (text === this.reported) return;
    this.reported = text;
    this.setStateValue("report", report);
  }

  makeReport() {
    const report = this.recorder.report();
    return this.headless ? { takes: report.takes, renew: report.renew } : report;
  }

  draw() {
    const { recorder, parts } = this;
    const { phase } = recorder;
    const show = (part, shown) => (part.hidden = !shown);
    const count = this.describeWaiting();
    if (parts.count.textContent !== count) parts.count.textContent = count;
    show(parts.count, count !== "" || (!this.headless && phase === "recording")); // Its line stays free there.
    if (this.headless) {
      for (const part of [parts.on, parts.meter, parts.notes, parts.device]) show(part, false);
      const booth = parts.status.parentElement;
      booth.classList.add("courier");
      show(booth, count !== "");
      this.say(count ? this.words.courier : "");
      this.tell();
      return;
    }
    show(parts.on, phase === "off" || phase === "asking");
    parts.on.disabled = phase === "asking";
    show(parts.start, recorder.canStart);
    show(parts.stop, phase === "recording");
    show(parts.again, phase === "recording");
    parts.stop.disabled = parts.again.disabled = recorder.ending === true;
    show(parts.meter, recorder.canStart || phase === "recording");
    const isTurning = phase === "asking" && this.focusNext === parts.select;
    show(parts.device, (phase === "check" || isTurning) && recorder.devices.length > 1);
    parts.select.disabled = isTurning;
    this.drawDevices();
    if (this.focusNext && (recorder.canStart || phase === "off")) this.focus();
    const isProblem = ["check", "off"].includes(phase) && recorder.problem !== null;
    const isAway = ["check", "recording"].includes(phase) && recorder.away;
    parts.status.classList.toggle("problem", isProblem || isAway);
    this.say(this.describe());
    const notes = this.describeNotes().join(" ");
    if (parts.notes.textContent !== notes) parts.notes.textContent = notes;
    show(parts.notes, notes !== "");
    this.tell();
    parts.status.dataset.phase = phase;
    const isOut = phase === "recording" && this.isTroubled && recorder.waitingSeconds() > 1;
    this.markPage(isOut ? "out" : phase === "sending" ? "sending" : "");
  }

  // For the ring, which the server draws: while it can't, it stands still.
  markPage(state) {
    const { dataset } = document.documentElement;
    if (state) dataset.heliographRecorder = state;
    else delete dataset.heliographRecorder;
  }

  get isTroubled() {
    const { currentSender: sender } = this.recorder;
    return sender !== null && sender.troubled;
  }

  drawDevices() {
    const { devices, settings } = this.recorder;
    const { select } = this.parts;
    const names = devices.map(({ deviceId, label }) => `${deviceId} ${label}`).join();
    if (names !== this.names) {
      this.names = names;
      select.replaceChildren(
        ...devices.map(({ deviceId, label }, at) => new Option(label || `${this.words.device} ${at + 1}`, deviceId)),
      );
    }
    const isOn = this.recorder.phase === "check";
    if (settings && isOn && select.value !== settings.deviceId) select.value = settings.deviceId;
  }

  // Where the keyboard goes on, if nobody has taken it elsewhere meanwhile.
  focus() {
    const { host } = this.parts.status.getRootNode();
    const next = this.recorder.canStart ? this.focusNext : this.parts.on;
    if ([document.body, host].includes(document.activeElement)) next.focus();
    this.focusNext = null;
  }

  // Of seconds that wait because of trouble, or from earlier: the last one of a recording is always on its way.
  describeWaiting() {
    const { recorder, words } = this;
    const seconds = recorder.waitingSeconds();
    const isOwn = !this.headless && ["recording", "sending"].includes(recorder.phase);
    if (!seconds || (isOwn && !recorder.ownSenders().some(({ troubled }) => troubled))) return "";
    const text = this.headless || isOwn ? words[recorder.phase === "recording" ? "waiting_now" : "waiting"] : words.earlier;
    const recorded = Math.floor(recorder.recorded / recorder.rate);
    return text.replace("{seconds}", seconds).replace("{recorded}", recorded);
  }

  say(text) {
    if (text === this.said) return;
    this.said = text;
    this.parts.status.textContent = text;
  }

  describe() {
    const { recorder, words } = this;
    const { phase, problem, currentSender: sender } = recorder;
    const { isTroubled } = this;
    const away = recorder.absences.has("stalled") ? words.stalled : words.away;
    if (phase === "asking") return words.asking;
    if (phase === "recording") {
      if (recorder.ending) return words.ending;
      if (recorder.away) return away;
      if (isTroubled && recorder.waitingSeconds() > 1) return this.describeTrouble(sender, "outage", words.recording);
      return words.recording;
    }
    if (phase === "sending") return isTroubled ? this.describeTrouble(sender, "unsent") : words.sending;
    if (phase === "saved") return words.saved;
    if (problem) return words[problem];
    if (phase === "check") return recorder.away ? away : recorder.notice ? words[recorder.notice] : this.advise();
    return words.off;
  }

  // Why the server does not take it, and where it is kept meanwhile.
  describeTrouble({ trouble, kept }, usual, ...before) {
    const { words } = this;
    if (["disk_full", "other_site"].includes(trouble)) {
      return [...before, words[trouble], ...(kept ? [] : [words.keep_open])].join(" ");
    }
    return kept ? words[usual] : words[`${usual}_here`];
  }

  advise() {
    const { recorder, words } = this;
    const moment = now();
    if (moment - (this.advisedAt || 0) < 700) return this.advice;
    this.advisedAt = moment;
    const { rms, peak } = recorder.level;
    this.advice = peak > 0.89 ? words.too_loud : rms > 0.0056 ? words.good : peak > 0.0003 ? words.quiet : words.nothing;
    if (this.advice !== words.nothing) this.heardAt = moment;
    else if (this.heardAt && moment - this.heardAt < 3000) this.advice = words.good;
    else if (moment - recorder.onSince < DOUBT_MS) this.advice = words.listening;
    return this.advice;
  }

  describeNotes() {
    const { recorder, words } = this;
    const notes = [];
    if (recorder.phase === "off") return notes;
    const { settings, happened } = recorder;
    if (recorder.isOther) notes.push(words.other_microphone);
    const cut = recorder.bandwidth && recorder.bandwidth.cut;
    if (cut) notes.push(words.narrow.replace("{khz}", cut));
    for (const [name, key] of PROCESSING) if (settings && onOff(settings[name]) === "on") notes.push(words[key]);
    const channels = recorder.heard && recorder.heard.samples > 48000 ? recorder.heard.describe(recorder.channel) : "";
    if (channels.includes("dead")) notes.push(words.dead_channel);
    else if (channels.includes("different")) notes.push(words.channels_differ);
    if (recorder.away) return notes; // It says so itself.
    if (["muted", "interrupted", "suspended", "slept"].some((what) => happened.has(what))) notes.push(words.interrupted);
    else if (happened.has("hidden")) notes.push(words.hidden);
    return notes;
  }

  drawLevel() {
    const { recorder, parts, words } = this;
    if (parts.meter.hidden) return;
    const { rms, peak, at } = recorder.level;
    const fresh = at && now() - at < 500;
    const share = fresh ? toShare(rms) : 0;
    parts.fill.style.transform = `scaleX(${share})`;
    parts.fill.dataset.level = peak > 0.99 ? "high" : share > 0.25 ? "good" : "low";
    parts.peak.style.left = `${100 * (fresh ? toShare(peak) : 0)}%`;
    if (now() - (this.meteredAt || 0) > 1000) {
      this.meteredAt = now();
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
