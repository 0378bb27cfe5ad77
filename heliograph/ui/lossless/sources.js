// Where the samples come from. A source calls `hear` with {frame, left, right, at, rate} for block after block:
// the number of its first sample, one or two channels, when the first one was heard (ms, the page's clock), and `lose`
// when no more will come. `flush` resolves when all that was heard before it has been handed on.

const RESUME_PATIENCE_MS = 3000;
const SOUND_PATIENCE_MS = 8000;
const QUEUE_S = 10;
const MOST_LATE_MS = 200000; // Longer than any recording: no block waits so long, its stamp makes no sense.
const TRACK_BUFFERS = 100 * QUEUE_S; // Of some 10 ms each.

// Straight from the track, with a queue of seconds: a computer too busy to draw loses no sound. Chromium only.
class TrackSource {
  constructor(track, hear, lose) {
    Object.assign(this, { hear, lose });
    this.name = "media track";
    this.patience = 1000 * QUEUE_S;
    this.context = null;
    this.frame = 0;
    this.apart = Infinity;
    this.stamped = -Infinity;
    this.reader = new MediaStreamTrackProcessor({ track, maxBufferSize: TRACK_BUFFERS }).readable.getReader();
  }

  async open() {
    const first = await Promise.race([this.reader.read(), sleep(SOUND_PATIENCE_MS)]);
    if (!first || first.done) throw new DOMException("", "NotReadableError");
    this.take(first.value);
    this.follow().catch((error) => console.error(error)).then(() => this.isOver || this.lose());
  }

  async follow() {
    for (;;) {
      const { value, done } = await this.reader.read();
      if (done || this.isOver) return;
      this.take(value);
    }
  }

  take(data) {
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
    this.hear({ frame: this.frame, left, right, at, rate: this.rate });
    this.frame += size;
    if (this.flushed && at >= this.flushAt) this.flushed();
  }

  // When a block was heard, on the page's clock: a busy page takes blocks from the queue long after. The quickest
  // block so far tells how far the two clocks are apart; neither counts sleep. Stamps that go back are of another clock.
  placeInTime(stamp, lasts) {
    const here = now() - clock.slept;
    if (stamp < this.stamped) this.apart = Infinity;
    this.stamped = stamp;
    this.apart = Math.min(this.apart, here - stamp - lasts);
    const at = stamp + this.apart;
    return clock.slept + (Math.abs(here - at) < MOST_LATE_MS ? at : here - lasts);
  }

  flush() {
    this.flushAt = now();
    return new Promise((done) => (this.flushed = done));
  }

  end() {
    this.isOver = true;
    this.reader.cancel().catch(() => {});
  }
}

// Through the audio thread of a context at the microphone's own rate. Buffers as short as the microphone's own:
// with longer ones Chromium drops some between the two.
class ContextSource {
  constructor(stream, rate, base, hear, lose) {
    Object.assign(this, { stream, base, hear, lose });
    this.name = "audio context";
    this.patience = 1000;
    try {
      this.make(rate ? { sampleRate: rate } : {});
    } catch (error) {
      // Some browsers don't take a microphone at a rate other than their own, nor tell the microphone's.
      if (this.context) this.context.close();
      this.make({});
    }
    this.rate = this.context.sampleRate;
  }

  make(options) {
    this.context = new AudioContext({ latencyHint: "interactive", ...options });
    this.input = this.context.createMediaStreamSource(this.stream);
  }

  async open() {
    const { context } = this;
    try {
      await context.audioWorklet.addModule(`${this.base}/worklet.js`);
    } catch (error) {
      throw new DOMException("", "NoServerError");
    }
    this.node = new AudioWorkletNode(context, "heliograph-tap", { numberOfInputs: 1, outputChannelCount: [1] });
    this.node.port.onmessage = ({ data }) => this.take(data);
    this.node.onprocessorerror = () => this.lose();
    this.input.connect(this.node);
    this.node.connect(context.destination); // It puts silence out; unconnected it would not run.
    // Firefox does not run a context on a computer without any sound output.
    if (context.state !== "running") await Promise.race([context.resume(), sleep(RESUME_PATIENCE_MS)]);
    if (context.state !== "running") throw new DOMException("", "NoOutputError");
  }

  take({ flushed, frame, count, left, right, sent }) {
    if (flushed) {
      if (this.flushed) this.flushed();
      return;
    }
    const { rate } = this;
    // The audio thread has no clock but that of the day; how long ago it was is the same on both.
    const at = now() - Math.max(0, Date.now() - sent) - (1000 * count) / rate;
    const [first, second] = [left, right].map((samples) => samples && samples.subarray(0, count));
    this.hear({ frame, left: first, right: second, at, rate });
    const buffers = right ? [left.buffer, right.buffer] : [left.buffer];
    this.node.port.postMessage(buffers, buffers);
  }

  flush() {
    return new Promise((done) => {
      this.flushed = done;
      this.node.port.postMessage("flush");
    });
  }

  end() {
    if (this.node) {
      this.node.onprocessorerror = this.node.port.onmessage = null;
      this.node.port.postMessage("end");
    }
    this.context.onstatechange = null;
    this.context.close().catch(() => {});
  }
}
