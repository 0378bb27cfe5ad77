"""The recorder's own scripts on a page of their own: a server that answers as each test says, a microphone that
the test feeds, and a clock that the test moves. Such tests take moments."""

from __future__ import annotations

import json

from playwright.sync_api import Page

from heliograph.ui import lossless
from heliograph.ui.lossless.trouble_words import TROUBLE_WORDS
from heliograph.ui.recorder_words import WORDS

__all__ = ["open_made_page", "run", "run_recorder"]

ADDRESS = "http://localhost:9/made"
SCRIPTS = lossless._js().replace("export default function (component)", "function mount(component)")
# A server that keeps what it gets by take and number; `answer` may say something else to a request.
SERVER = """
  const taken = {}, asked = [];
  let answer = () => null;
  const reply = (status, said) => new Response(JSON.stringify(said), { status });
  window.fetch = async (address, { method, headers, credentials, body }) => {
    const [take, what] = address.split("/takes/")[1].split("/");
    const request = { method, take, what, permit: headers["X-Capture-Permit"], credentials };
    asked.push(request);
    const other = await answer(request);
    if (other) return reply(...other);
    taken[take] ||= { pieces: new Set(), finished: false };
    const { pieces } = taken[take];
    if (!what) taken[take].begun = JSON.parse(body);
    if (what === "finish") taken[take].finished = JSON.parse(body);
    else if (what) pieces.add(Number(what));
    const highest = Math.max(-1, ...pieces);
    const missing = [...Array(highest + 1).keys()].filter((number) => !pieces.has(number));
    return reply(200, { chunks: pieces.size, missing });
  };
  const keep = new Keep();
  const permits = (sender) => sender.allow(`permit of ${sender.record.serverTake}`);
  const make = (record = {}) => new Sender(
    { take: makeTakeName(), note: "1", workspace: "sandbox", rate: 8000, facts: {}, filledIn: [], ...record },
    { base: "", keep, changed: (sender) => sender.needsPermit && permits(sender) },
  );
  const piece = () => new Int16Array(8000).fill(7).buffer;
  const ending = (chunks) => ({ chunks, samples: 8000 * chunks, end: "stopped", wall_clock_s: chunks, facts: {} });
  const show = () => Object.values(taken).map(({ pieces, finished }) => [[...pieces].sort(), finished !== false]);
"""
# A microphone of 8000 samples a second, heard straight from its track. Time stands still but for `pass`.
MICROPHONE = """
  let moment = 1000;
  performance.now = () => moment;
  Date.now = () => 1e12 + moment;
  const pass = (seconds) => { moment += 1000 * seconds; };
  let sound = null, settings = { sampleRate: 8000, deviceId: "one" };
  const wantedOf = [];
  const track = { getSettings: () => settings, stop() {} };
  Object.defineProperty(navigator, "mediaDevices", { configurable: true, value: {
    addEventListener() {},
    enumerateDevices: async () => [],
    getSupportedConstraints: () => ({ voiceIsolation: true }),
    getUserMedia: async ({ audio }) => {
      wantedOf.push(audio);
      setTimeout(() => play(), 0);
      return { getAudioTracks: () => [track], getTracks: () => [track] };
    },
  } });
  window.MediaStreamTrackProcessor = class {
    constructor() {
      this.readable = new ReadableStream({ start: (control) => { sound = control; } });
    }
  };
  const play = (rate = 8000) => {
    pass(0.1);
    const wave = (_, at) => Math.round(3000 * Math.sin(at / 3)) / 32768;
    const samples = Float32Array.from({ length: rate / 10 }, wave);
    sound.enqueue({
      numberOfFrames: samples.length, numberOfChannels: 1, sampleRate: rate, timestamp: 1000 * (moment - 100),
      copyTo: (target) => target.set(samples), close() {},
    });
  };
  const hear = async (seconds, rate) => {
    for (let count = 0; count < 10 * seconds; count += 1) {
      play(rate);
      await new Promise((done) => setTimeout(done, 0));
    }
  };
"""
RECORDER = """
  const recorder = theRecorder();
  const host = document.body.appendChild(document.createElement("div"));
  const root = host.attachShadow({ mode: "open" });
  root.innerHTML = HTML;
  const CSS = STYLE;
  const reports = [];
  const data = { base: "", workspace: "sandbox", note: "1", max_s: 170, headless: false, permits: {} };
  data.words = WORDS;
  const setStateValue = (_, report) => {
    reports.push(report);
    const told = report.takes.map(({ take }) => take);
    for (const sender of recorder.ownSenders()) if (told.includes(sender.record.serverTake)) permits(sender);
  };
  mount({ parentElement: root, data, setStateValue });
  const find = (selector) => root.querySelector(selector);
  const status = () => find(".status").textContent;
  const beat = (times) => { for (let count = 0; count < times; count += 1) recorder.beat(); };
  // As an earlier page may have left it.
  const leave = async (take, numbers) => {
    const record = { take, note: "1", workspace: "sandbox", rate: 8000, facts: {}, filledIn: [] };
    await recorder.opened;
    await recorder.keep.putTake(record);
    for (const number of numbers) await recorder.keep.putChunk(record, number, { bits: 16, bytes: piece() });
  };
  const start = async () => {
    await recorder.turnOn();
    clearInterval(recorder.heart); // The test beats.
    recorder.source.patience = 0;
    recorder.start();
    return recorder.sender;
  };
"""


def open_made_page(window: Page) -> Page:
    """A page that may keep things, as one of a server's own."""
    window.route(ADDRESS, lambda route: route.fulfill(body="<title>made</title>", content_type="text/html"))
    window.goto(ADDRESS)
    return window


def run(page: Page, body: str) -> object:
    """What `body` returns beside the scripts and the made server."""
    return page.evaluate(f"async () => {{ {SCRIPTS}\n{SERVER}\n{body} }}")


def run_recorder(page: Page, body: str) -> object:
    """What `body` returns beside the whole recorder, its buttons drawn and its microphone made."""
    words = json.dumps({**WORDS, **TROUBLE_WORDS})
    html, css = json.dumps(lossless._html()), json.dumps(lossless._css())
    recorder = RECORDER.replace("WORDS", words).replace("HTML = HTML", f"HTML = {html}").replace("STYLE", css)
    return page.evaluate(f"async () => {{ {MICROPHONE}\n{SCRIPTS}\n{SERVER}\n{recorder}\n{body} }}")
