/** The options of the conversation. They last as long as the page. */

import { element, setText } from '../page/dom';
import type { Talk } from './talk';

const FALLBACK_MAX_TOKENS = 512;

/** `reopen` loads the model again with another number of threads. */
export function connectOptions(talk: Talk, reopen: (threads: number) => void): void {
  const temperature = element('temperature', HTMLInputElement);
  const maxTokens = element('max-tokens', HTMLInputElement);
  const system = element('system', HTMLTextAreaElement);
  const threads = element('threads', HTMLSelectElement);
  const showTemperature = (): void => setText('temperature-value', talk.options.temperature.toFixed(1));

  temperature.value = String(talk.options.temperature);
  maxTokens.value = String(talk.options.maxTokens);
  system.value = talk.options.system;
  showTemperature();

  temperature.addEventListener('input', () => {
    talk.options = { ...talk.options, temperature: temperature.valueAsNumber };
    showTemperature();
  });
  maxTokens.addEventListener('change', () => {
    const wished = Math.round(maxTokens.valueAsNumber);
    talk.options = { ...talk.options, maxTokens: wished >= 1 ? wished : FALLBACK_MAX_TOKENS };
    maxTokens.value = String(talk.options.maxTokens);
  });
  system.addEventListener('input', () => {
    talk.options = { ...talk.options, system: system.value };
  });
  threads.addEventListener('change', () => reopen(Number(threads.value)));
}
