/** The page "Draw a digit". */

import { Pad } from '../drawing/pad';
import { EXAMPLES } from '../drawing/strokes';
import { element, offerFile, onClick, setText } from '../page/dom';
import { type Speech, openPage } from '../page/page';
import { numbersOf } from './numbers';
import { offeredModels } from './offered';
import { Reader } from './reader';
import { View } from './view';

const example = element('example', HTMLSelectElement);
const own = element('own', HTMLInputElement);
const fetched = element('fetched', HTMLSelectElement);

let speech: Speech;
let view: View;

const pad = new Pad(element('pad', HTMLCanvasElement), element('pen', HTMLElement), {
  drawn: () => void reader.read(),
  asked: () => void reader.read(),
  pen: (down) => {
    const { penDown, penUp } = speech.texts.digits;
    setText('pen-state', down ? penDown : penUp);
  },
});
const reader = new Reader(
  () => pad.ink(),
  () => view.show(reader.state),
);

openPage('digits', '../', (spoken) => {
  speech = spoken;
  view = new View(spoken);
  view.show(reader.state);
});

onClick('start', () => void reader.start());
onClick('cancel', () => reader.cancel());
onClick('back', () => {
  fetched.value = '';
  void reader.start();
});
onClick('recognise', () => void reader.read());
onClick('undo', () => pad.undo());
onClick('clear', () => {
  example.value = '';
  pad.clear();
});
onClick('save', () => offerFile(numbersOf(reader.state), 'application/json', 'digit.json'));

for (const digit of EXAMPLES.keys()) example.append(new Option(String(digit)));
example.addEventListener('change', () => pad.show((example.value && EXAMPLES[Number(example.value)]) || []));

// Only a Homeward has this list; a plain web server has no such file, and the choice isn't shown.
void offeredModels('../models/').then((names) => {
  for (const name of names) fetched.append(new Option(name));
  element('fetched-field', HTMLElement).hidden = names.length === 0;
});
fetched.addEventListener('change', () => {
  if (fetched.value) void reader.useOffered(`../models/${encodeURIComponent(fetched.value)}`, fetched.value);
  else void reader.start();
});

own.addEventListener('change', () => {
  const [file] = own.files ?? [];
  own.value = ''; // so that the same file may be chosen again
  if (file) void reader.useOwn(file);
});
