// On the audio thread: hands every sample of the microphone on as it is, in blocks, each with the number of its
// first sample. What the microphone does not deliver arrives as silence and is said to be.

const BLOCK = 2048;

class Tap extends AudioWorkletProcessor {
  constructor() {
    super();
    this.port.onmessage = (event) => {
      if (event.data === "flush") {
        this.send();
        this.port.postMessage({ flushed: true });
      } else if (event.data === "end") {
        this.ended = true;
      }
    };
    this.ended = false;
    this.begin();
  }

  begin() {
    this.left = new Float32Array(BLOCK);
    this.right = null;
    this.filled = 0;
    this.absent = 0;
    this.first = currentFrame;
  }

  send() {
    if (!this.filled) return;
    const left = this.left.slice(0, this.filled);
    const right = this.right ? this.right.slice(0, this.filled) : null;
    const block = { frame: this.first, left, right, absent: this.absent };
    this.port.postMessage(block, right ? [left.buffer, right.buffer] : [left.buffer]);
    this.filled = 0;
    this.absent = 0;
    this.right = null;
  }

  process(inputs) {
    if (this.ended) return false;
    const channels = inputs[0];
    const size = channels.length ? channels[0].length : 128;
    if (this.filled + size > BLOCK || (this.filled && currentFrame !== this.first + this.filled)) this.send();
    if (!this.filled) this.first = currentFrame;
    if (channels.length) {
      this.left.set(channels[0], this.filled);
      if (channels.length > 1) {
        if (!this.right) {
          this.right = new Float32Array(BLOCK);
          this.right.set(this.left.subarray(0, this.filled));
        }
        this.right.set(channels[1], this.filled);
      } else if (this.right) {
        this.right.set(channels[0], this.filled);
      }
    } else {
      this.left.fill(0, this.filled, this.filled + size);
      if (this.right) this.right.fill(0, this.filled, this.filled + size);
      this.absent += size;
    }
    this.filled += size;
    return true;
  }
}

registerProcessor("heliograph-tap", Tap);
