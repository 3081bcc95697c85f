/** SHA-256 bit by bit (FIPS 180-4): `crypto.subtle` wants a file at once, and plain http pages have none. */

const BLOCK = 64;

/** The first 32 bits of the fractions of the roots of the first primes, as the standard makes its constants. */
function fractions(count: number, root: (prime: number) => number): Int32Array {
  const found: number[] = [];
  for (let candidate = 2; found.length < count; candidate++) {
    if (found.every((prime) => candidate % prime !== 0)) found.push(candidate);
  }
  return Int32Array.from(found, (prime) => ((root(prime) % 1) * 2 ** 32) | 0);
}

const ROUND = fractions(64, Math.cbrt);
const START = fractions(8, Math.sqrt);

export class Sha256 {
  private readonly state = START.slice();
  private readonly schedule = new Int32Array(64);
  private readonly rest = new Uint8Array(BLOCK);
  private length = 0;

  add(bytes: Uint8Array): void {
    let position = 0;
    const waiting = this.length % BLOCK;
    this.length += bytes.length;
    if (waiting > 0) {
      position = Math.min(BLOCK - waiting, bytes.length);
      this.rest.set(bytes.subarray(0, position), waiting);
      if (waiting + position < BLOCK) return;
      this.block(new DataView(this.rest.buffer), 0);
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (; position + BLOCK <= bytes.length; position += BLOCK) this.block(view, position);
    this.rest.set(bytes.subarray(position));
  }

  /** In hexadecimal digits; nothing can be added afterwards. */
  end(): string {
    const bits = this.length * 8;
    const padded = new Uint8Array((((this.length % BLOCK) + 9 > BLOCK ? 2 : 1) * BLOCK) - (this.length % BLOCK));
    padded[0] = 0x80;
    const view = new DataView(padded.buffer);
    view.setUint32(padded.length - 8, Math.floor(bits / 2 ** 32));
    view.setUint32(padded.length - 4, bits % 2 ** 32);
    this.add(padded);
    return Array.from(this.state, (word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
  }

  private block(view: DataView, at: number): void {
    const w = this.schedule;
    const state = this.state;
    for (let i = 0; i < 16; i++) w[i] = view.getInt32(at + 4 * i);
    for (let i = 16; i < 64; i++) {
      const x = w[i - 15]!;
      const y = w[i - 2]!;
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      w[i] = (((w[i - 16]! + s0) | 0) + ((w[i - 7]! + s1) | 0)) | 0;
    }
    let a = state[0]!;
    let b = state[1]!;
    let c = state[2]!;
    let d = state[3]!;
    let e = state[4]!;
    let f = state[5]!;
    let g = state[6]!;
    let h = state[7]!;
    for (let i = 0; i < 64; i++) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (((((h + s1) | 0) + ((e & f) ^ (~e & g))) | 0) + ((ROUND[i]! + w[i]!) | 0)) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + t1) | 0;
      d = c;
      c = b;
      b = a;
      a = (t1 + t2) | 0;
    }
    state[0]! += a;
    state[1]! += b;
    state[2]! += c;
    state[3]! += d;
    state[4]! += e;
    state[5]! += f;
    state[6]! += g;
    state[7]! += h;
  }
}
