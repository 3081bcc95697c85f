/** From what a classifier answers to what a person can read. */

export function softmax(logits: readonly number[]): number[] {
  const highest = Math.max(...logits);
  const weights = logits.map((value) => Math.exp(value - highest));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}

/** The softmax, unless the model has already made it. */
export function probabilities(outputs: readonly number[]): number[] {
  const sum = outputs.reduce((a, b) => a + b, 0);
  const alreadyMade = outputs.length > 1 && Math.abs(sum - 1) < 1e-3 && outputs.every((value) => value >= 0);
  return alreadyMade ? [...outputs] : softmax(outputs);
}

export interface Ranked {
  readonly index: number;
  readonly probability: number;
}

/** All classes in their order where there are few, else the most probable first. */
export function shown(all: readonly number[], most = 10): Ranked[] {
  const rows = all.map((probability, index) => ({ index, probability }));
  if (rows.length <= most) return rows;
  return rows.sort((a, b) => b.probability - a.probability).slice(0, most);
}

/** The most probable class. */
export function best(all: readonly number[]): Ranked {
  return all.reduce<Ranked>(
    (found, probability, index) => (probability > found.probability ? { index, probability } : found),
    { index: 0, probability: -1 },
  );
}

export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}
