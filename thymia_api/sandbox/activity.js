"use strict";
(() => {
  const NEEDED_S = 10, GOOD_S = 15, MAX_S = 170;
  const FORMATS = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus", "audio/webm"];
  const STEP_OF = { intro: "microphone", asking: "microphone", refused: "microphone", record: "record",
    review: "review", sending: "send", failed: "send", done: "send" };
  const byId = (id) => document.getElementById(id);
  const views = new Map([...document.querySelectorAll("[data-view]")].map((view) => [view.dataset.view, view]));

  let stream = null, context = null, recorder = null, ticker = 0;
  let take = null, takeUrl = null, startedAt = 0, heardAt = 0, speechS = 0, lengthS = 0, announced = 0, isBusy = false;

  function show(name) {
    for (const [key, view] of views) view.hidden = key !== name;
    const items = [...document.querySelectorAll("[data-step]")];
    const current = items.findIndex((item) => item.dataset.step === STEP_OF[name]);
    byId("steps").hidden = current < 0;
    items.forEach((item, index) => {
      item.classList.toggle("past", index < current || name === "done");
      if (index === current && name !== "done") item.setAttribute("aria-current", "step");
      else item.removeAttribute("aria-current");
    });
    const heading = views.get(name).querySelector("h2");
    say(heading.textContent);
    if (name !== "intro") heading.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }

  function say(text) { byId("status").textContent = text; }
  function format(seconds) {
    const whole = Math.floor(seconds);
    return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
  }

  async function allow() {
    if (isBusy) return;
    isBusy = true;
    show("asking");
    try {
      release();
      stream = await navigator.mediaDevices.getUserMedia({
        audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false },
      });
      watchLevel();
      resetConsole();
      show("record");
    } catch (error) {
      release();
      byId("refused-reason").textContent = {
        NotAllowedError: "This page is not allowed to use the microphone. Open the browser's settings for this site "
          + "(the icon beside the address), allow the microphone, and try again.",
        NotFoundError: "No microphone was found. Connect one and try again.",
        NotReadableError: "Another program is using the microphone. Close it and try again.",
      }[error.name] || "The microphone could not be started. Try again, or open the link in another browser.";
      show("refused");
    } finally { isBusy = false; }
  }

  function watchLevel() {
    context = new AudioContext();
    context.resume();
    const analyser = context.createAnalyser();
    analyser.fftSize = 2048;
    context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    let floorDb = -45, peakDb = -60, last = performance.now();
    ticker = setInterval(() => {
      const now = performance.now(), passedS = Math.min(0.3, (now - last) / 1000);
      last = now;
      analyser.getFloatTimeDomainData(samples);
      let sum = 0;
      for (const sample of samples) sum += sample * sample;
      const db = 10 * Math.log10(sum / samples.length + 1e-10);
      // The floor follows quiet moments at once and rises slowly, so that steady noise is not taken for speech.
      floorDb = Math.max(-75, Math.min(db, floorDb + 1.5 * passedS, -35));
      peakDb = Math.max(db, peakDb - 2 * passedS);
      byId("level").style.transform = `scaleX(${Math.max(0, Math.min(1, (db + 65) / 55)).toFixed(3)})`;
      if (recorder && recorder.state === "recording") {
        if (db > Math.max(floorDb + 10, peakDb - 20, -55)) {
          // Gaps under 0.3 s belong to the speech around them.
          speechS += now - heardAt < 300 ? (now - heardAt) / 1000 : passedS;
          heardAt = now;
        }
        lengthS = (now - startedAt) / 1000;
        drawProgress();
        if (lengthS >= MAX_S) stop();
      }
    }, 60);
  }

  function drawProgress() {
    const whole = Math.floor(speechS);
    byId("timer").textContent = format(lengthS);
    byId("speech").textContent = String(whole);
    const ring = byId("ring");
    ring.setAttribute("aria-valuenow", String(Math.min(GOOD_S, whole)));
    ring.classList.toggle("some", speechS >= NEEDED_S && speechS < GOOD_S);
    ring.classList.toggle("enough", speechS >= GOOD_S);
    byId("ring-mark").setAttribute("stroke-dasharray", `${Math.min(100, (100 * speechS) / GOOD_S).toFixed(1)} 100`);
    const stage = speechS >= GOOD_S ? 2 : speechS >= NEEDED_S ? 1 : 0;
    byId("speech-hint").textContent = [
      `At least ${NEEDED_S} seconds of speech are needed.`,
      "Enough to hand in. A little more makes it safer.",
      "That is plenty. Finish the text if you like.",
    ][stage];
    if (stage > announced) {
      announced = stage;
      say(byId("speech-hint").textContent);
    }
  }

  function resetConsole() {
    speechS = lengthS = announced = 0;
    drawProgress();
    views.get("record").classList.remove("recording");
    byId("record-heading").textContent = "Ready when you are";
    byId("record-hint").hidden = false;
    byId("start").hidden = false;
    byId("stop").hidden = true;
  }

  function start() {
    if (recorder) return;
    const mimeType = FORMATS.find((name) => MediaRecorder.isTypeSupported(name));
    const chunks = [];
    try {
      recorder = new MediaRecorder(stream, { mimeType, audioBitsPerSecond: 128000 });
      recorder.addEventListener("dataavailable", (event) => { if (event.data.size) chunks.push(event.data); });
      recorder.addEventListener("stop", () => {
        const type = recorder.mimeType;
        recorder = null;
        release();
        review(new Blob(chunks, { type }));
      });
      stream.getAudioTracks()[0].addEventListener("ended", stop);
      recorder.start(1000);
    } catch {
      recorder = null;
      release();
      byId("refused-reason").textContent = "The recording could not be started. Try again.";
      show("refused");
      return;
    }
    startedAt = performance.now();
    heardAt = 0;
    views.get("record").classList.add("recording");
    byId("record-heading").textContent = "Recording: read aloud now";
    byId("record-hint").hidden = true;
    byId("start").hidden = true;
    byId("stop").hidden = false;
    byId("stop").focus({ preventScroll: true });
    say("Recording");
  }

  function stop() { if (recorder && recorder.state !== "inactive") recorder.stop(); }

  function release() {
    clearInterval(ticker);
    if (stream) for (const track of stream.getTracks()) track.stop();
    if (context) context.close();
    stream = context = null;
  }

  function review(blob) {
    take = blob;
    if (takeUrl) URL.revokeObjectURL(takeUrl);
    takeUrl = URL.createObjectURL(blob);
    byId("player").src = takeUrl;
    byId("review-facts").textContent =
      `Your recording is ${format(lengthS)} long, with about ${Math.floor(speechS)} seconds of speech.`;
    const isShort = speechS < NEEDED_S;
    byId("review-problem").hidden = !isShort;
    byId("review-problem").textContent = isShort
      ? `That is probably too short: at least ${NEEDED_S} seconds of speech are needed. Please record again.` : "";
    byId("again").classList.toggle("primary", isShort);
    byId("send").classList.toggle("primary", !isShort);
    byId("send").textContent = isShort ? "Hand in anyway" : "Hand in";
    show("review");
  }

  function send() {
    if (isBusy || !take) return;
    isBusy = true;
    byId("player").pause();
    byId("progress").value = 0;
    show("sending");
    const request = new XMLHttpRequest();
    request.open("PUT", `${location.pathname.replace(/\/$/, "")}/recording`);
    request.setRequestHeader("Content-Type", take.type.split(";")[0] || "application/octet-stream");
    request.timeout = 120000;
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) byId("progress").value = (100 * event.loaded) / event.total;
    });
    const fail = (reason) => {
      byId("failed-reason").textContent = reason;
      show("failed");
    };
    request.addEventListener("loadend", () => {
      isBusy = false;
      const status = request.status;
      if (status === 200) take = null;
      if (status === 200) show("done");
      else if (status === 409) { take = null; show("finished"); }
      else if (status === 410) { take = null; show("expired"); }
      else if (status === 404) { take = null; show("unknown"); }
      else if (status === 413) fail("The recording is too large.");
      else if (status === 0) fail("The connection was lost. Check that you are online.");
      else fail("The service could not take the recording just now.");
    });
    request.send(take);
  }

  const actions = { allow, start, stop, send, again: allow, listen: () => show("review") };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-action]");
    if (button) actions[button.dataset.action]();
  });
  addEventListener("beforeunload", (event) => { if (recorder || take) event.preventDefault(); });

  const state = document.body.dataset.state;
  if (state !== "open") show(state);
  else if (!window.isSecureContext) show("insecure");
  else if (!navigator.mediaDevices || !window.MediaRecorder || !window.AudioContext) show("unsupported");
  else show("intro");
})();
