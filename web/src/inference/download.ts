/** Fetches a file of this page's own, telling how far it is. */

export class DownloadError extends Error {
  constructor(readonly status: number) {
    super(`status ${status}`);
  }
}

/** Rejects with DownloadError, with TypeError where nobody answers, or with AbortError. `told` gets bytes. */
export async function download(
  url: string,
  signal: AbortSignal,
  told: (bytes: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(url, { signal });
  if (!response.ok || !response.body) throw new DownloadError(response.status);
  const parts: Uint8Array[] = [];
  let length = 0;
  for (const reader = response.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    length += value.length;
    told(length);
  }
  const whole = new Uint8Array(length);
  let position = 0;
  for (const part of parts) {
    whole.set(part, position);
    position += part.length;
  }
  return whole;
}
