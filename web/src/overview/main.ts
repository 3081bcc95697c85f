/** The overview. */

import { byId, made } from '../page/dom';
import { openPage } from '../page/page';
import type { Texts } from '../texts/texts';
import { type BrowserFacts, factsHere } from './facts';
import { type Row, rows } from './rows';

let texts: Texts;
let facts: BrowserFacts | null = null;

openPage('overview', './', (speech) => {
  texts = speech.texts;
  show();
});
void ask();
// The worker may only now have come.
(navigator.serviceWorker as ServiceWorkerContainer | undefined)?.addEventListener('controllerchange', () => void ask());

async function ask(): Promise<void> {
  facts = await factsHere();
  show();
}

function show(): void {
  if (!facts) return;
  byId('features').replaceChildren(...rows(facts, texts).map(shown));
  byId('asking').hidden = true;
  byId('table').hidden = false;
}

function shown({ id, state, why, step }: Row): HTMLElement {
  const row = made('tr');
  row.id = id;
  const head = made('th', texts.overview[id].name);
  head.scope = 'row';
  const cell = made('td');
  cell.append(made('span', texts.overview.states[state], `state ${state}`), made('span', why, 'why'));
  if (step) cell.append(made('span', step, 'step muted'));
  row.append(head, cell);
  return row;
}
