/**
 * Looks at a file before the engine does: it refuses strange files with words that help nobody.
 *
 * An ONNX model is a protobuf message; only its outline is read, and the few fields that tell whether it can work here.
 */

export type FileProblem = 'empty' | 'too-large' | 'web-page' | 'pointer' | 'not-onnx' | 'cut' | 'external-data';

export const MOST_BYTES = 512 * 1024 * 1024;

const IR_VERSION_TAG = 0x08; // what every exporter begins with
const MODEL_GRAPH = 7;
const GRAPH_INITIALIZER = 5;
const TENSOR_DATA_LOCATION = 14;
const EXTERNAL = 1;

/** What is wrong with the file, or null. */
export function problemOf(bytes: Uint8Array): FileProblem | null {
  if (bytes.length === 0) return 'empty';
  if (bytes.length > MOST_BYTES) return 'too-large';
  const beginning = new TextDecoder('latin1').decode(bytes.subarray(0, 256)).trimStart().toLowerCase();
  if (beginning.startsWith('<')) return 'web-page';
  if (beginning.startsWith('version https://git-lfs')) return 'pointer';
  const model = fieldsOf(bytes);
  if (model.state === 'cut' && bytes[0] === IR_VERSION_TAG) return 'cut';
  const graph = model.fields.find((field) => field.number === MODEL_GRAPH && field.bytes);
  if (model.state !== 'whole' || !graph?.bytes) return 'not-onnx';
  return usesExternalData(graph.bytes) ? 'external-data' : null;
}

function usesExternalData(graph: Uint8Array): boolean {
  return fieldsOf(graph).fields.some(
    (field) =>
      field.number === GRAPH_INITIALIZER &&
      field.bytes !== null &&
      fieldsOf(field.bytes).fields.some((part) => part.number === TENSOR_DATA_LOCATION && part.value === EXTERNAL),
  );
}

interface Field {
  readonly number: number;
  /** Of a number; 0 for other kinds. */
  readonly value: number;
  /** Of a text, a list or a message; null for other kinds. */
  readonly bytes: Uint8Array | null;
}

interface Message {
  readonly fields: readonly Field[];
  /** Whether the file ended in the middle of a field, or there is something that protobuf doesn't have. */
  readonly state: 'whole' | 'cut' | 'foreign';
}

/** The fields of a protobuf message, not looking into them. */
function fieldsOf(bytes: Uint8Array): Message {
  const fields: Field[] = [];
  let position = 0;

  /** A variable-length number, at most 2^53; NaN where the bytes end. */
  const number = (): number => {
    let value = 0;
    for (let factor = 1; position < bytes.length; factor *= 128) {
      const byte = bytes[position++] ?? 0;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    return NaN;
  };

  while (position < bytes.length) {
    const tag = number();
    const kind = tag % 8;
    const field = Math.floor(tag / 8);
    let [value, content] = [0, null as Uint8Array | null];
    if (Number.isNaN(tag)) return { fields, state: 'cut' };
    if (field === 0) return { fields, state: 'foreign' };
    if (kind === 0) {
      value = number();
      if (Number.isNaN(value)) return { fields, state: 'cut' };
    } else if (kind === 1 || kind === 2 || kind === 5) {
      const length = kind === 2 ? number() : kind === 1 ? 8 : 4;
      const end = position + length;
      if (!(end <= bytes.length)) return { fields, state: 'cut' };
      content = kind === 2 ? bytes.subarray(position, end) : null;
      position = end;
    } else {
      return { fields, state: 'foreign' };
    }
    fields.push({ number: field, value, bytes: content });
  }
  return { fields, state: 'whole' };
}
