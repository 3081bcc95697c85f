/** The page "Draw a digit". */

import { Pad } from '../drawing/pad';
import { EXAMPLES } from '../drawing/strokes';
import { TEXTS, languageOf } from '../texts/texts';
import { numbersOf } from './numbers';
import { Reader } from './reader';
import { View, element } from './view';

const LANGUAGE_KEY = 'homeward-language';

const language = element('language', HTMLSelectElement);
const example = element('example', HTMLSelectElement);
const own = element('own', HTMLInputElement);

language.value = languageOf(storedLanguage(), navigator.languages);
let view = viewIn(language.value);

const pad = new Pad(element('pad', HTMLCanvasElement), element('pen', HTMLElement), {
  drawn: () => void reader.read(),
  asked: () => void reader.read(),
  pen: (down) => {
    const texts = TEXTS[languageOf(language.value, [])];
    element('pen-state', HTMLElement).textContent = down ? texts.penDown : texts.penUp;
  },
});
const reader = new Reader(
  () => pad.ink(),
  () => view.show(reader.state),
);
view.show(reader.state);

function viewIn(tag: string): View {
  const chosen = languageOf(tag, []);
  return new View(TEXTS[chosen], chosen);
}

/** Null where nothing was chosen, or the browser keeps nothing for this page. */
function storedLanguage(): string | null {
  try {
    return localStorage.getItem(LANGUAGE_KEY);
  } catch {
    return null;
  }
}

function storeLanguage(tag: string): void {
  try {
    localStorage.setItem(LANGUAGE_KEY, tag);
  } catch {
    // it holds for this visit, then
  }
}

function on(id: string, action: () => void): void {
  element(id, HTMLButtonElement).addEventListener('click', action);
}

on('start', () => void reader.start());
on('cancel', () => reader.cancel());
on('back', () => void reader.start());
on('recognise', () => void reader.read());
on('undo', () => pad.undo());
on('clear', () => {
  example.value = '';
  pad.clear();
});
on('save', () => {
  const url = URL.createObjectURL(new Blob([numbersOf(reader.state)], { type: 'application/json' }));
  Object.assign(document.createElement('a'), { href: url, download: 'digit.json' }).click();
  URL.revokeObjectURL(url);
});

for (const digit of EXAMPLES.keys()) example.append(new Option(String(digit)));
example.addEventListener('change', () => pad.show((example.value && EXAMPLES[Number(example.value)]) || []));

own.addEventListener('change', () => {
  const [file] = own.files ?? [];
  own.value = ''; // so that the same file may be chosen again
  if (file) void reader.useOwn(file);
});

language.addEventListener('change', () => {
  storeLanguage(language.value);
  view = viewIn(language.value);
  view.show(reader.state);
});
