// On the audio thread: hands every sample of the microphone on as it is, in blocks, each with the number of its
// first sample and the time when its last one was here. What the microphone does not deliver arrives as silence.
// Buffers come back from the page, so that none has to be made while there is sound.

const BLOCK = 2048;
const SPARE = 32; // More than a second of them, for a page that is busy.

class Tap extends AudioWorkletProcessor {
  constructor() {
    super();
    this.spare = Array.from({ length: SPARE }, () => new Float32Array(BLOCK));
    this.ended = false;
    this.left = this.right = null;
    this.filled = this.first = 0;
    this.port.onmessage = ({ data }) => {
      if (data === "flush") {
        this.send();
        this.port.postMessage({ flushed: true });
      } else if (data === "end") {
        this.ended = true;
      } else {
        for (const buffer of data) this.spare.push(new Float32Array(buffer));
      }
    };
  }

  getBuffer() {
    return this.spare.pop() || new Float32Array(BLOCK);
  }

  send() {
    if (!this.filled) return;
    const { left, right, first, filled } = this;
    const block = { frame: first, count: filled, left, right, sent: Date.now() };
    this.left = this.right = null;
    this.filled = 0;
    this.port.postMessage(block, right ? [left.buffer, right.buffer] : [left.buffer]);
  }

  process(inputs) {
    if (this.ended) return false;
    const channels = inputs[0];
    const size = channels.length ? channels[0].length : 128;
    if (this.filled && currentFrame !== this.first + this.filled) this.send();
    if (!this.left) {
      this.left = this.getBuffer();
      this.first = currentFrame;
    }
    if (channels.length > 1 && !this.right) {
      this.right = this.getBuffer();
      this.right.set(this.left.subarray(0, this.filled));
    }
    if (channels.length) {
      this.left.set(channels[0], this.filled);
      if (this.right) this.right.set(channels[channels.length > 1 ? 1 : 0], this.filled);
    } else {
      this.left.fill(0, this.filled, this.filled + size);
      if (this.right) this.right.fill(0, this.filled, this.filled + size);
    }
    this.filled += size;
    if (this.filled + size > BLOCK) this.send();
    return true;
  }
}

registerProcessor("heliograph-tap", Tap);
