/** The page "Private chat". */

import { probe } from '../inference/probe';
import type { Facts } from '../inference/ladder';
import { threadsHere } from '../language/open';
import { byId, element, offerFile, onClick, setText } from '../page/dom';
import { type Speech, openPage } from '../page/page';
import { Composer } from './composer';
import { asMarkdown } from './conversation';
import { Loader } from './loader';
import { connectOptions } from './options';
import { SideView } from './sideView';
import { StartView } from './startView';
import { Talk } from './talk';
import { TalkView, toEnd } from './talkView';

const MODELS = '../models/';
const ANNOUNCED_MS = 4000;

let speech: Speech;
let views: { readonly start: StartView; readonly side: SideView; readonly talk: TalkView };
let facts: Facts | null = null;
let threads: number | undefined;
let drawing = 0;
let announcing = 0;

const loader = new Loader(MODELS, () => show());
const talk = new Talk(
  () => loader.model,
  () => showTalkSoon(),
);
const composer = new Composer(talk, toEnd);

openPage('chat', '../', (spoken) => {
  speech = spoken;
  const start = new StartView(speech);
  const side = new SideView(speech, (file) => void remove(file));
  const actions = { copy, again: () => void again(), edit: () => composer.edit() };
  views = { start, side, talk: new TalkView(speech, talk, actions, (problem) => start.problemText(problem)) };
  show();
});
void begin();

async function begin(): Promise<void> {
  facts = await probe();
  await loader.look();
}

function show(): void {
  views.start.show(loader.state);
  views.side.showStored(loader.state);
  const ready = loader.model !== null;
  const wasReady = !byId('talk').hidden;
  for (const id of ['talk', 'where', 'options']) byId(id).hidden = !ready;
  document.body.classList.toggle('talking', ready);
  byId('title').classList.toggle('unseen', ready);
  showTalk();
  if (loader.model && !wasReady) welcome(loader.model.running.model);
}

function showTalk(): void {
  if (!loader.model || !facts) return;
  const { running } = loader.model;
  views.talk.show(running);
  if (!talk.state.writing) views.side.showRunning(running, facts, threadsHere().most); // a crash may have changed it
}

/** Tokens come faster than pictures are drawn. */
function showTalkSoon(): void {
  if (!talk.state.writing) return showTalk();
  drawing ||= requestAnimationFrame(() => {
    drawing = 0;
    showTalk();
  });
}

function welcome(model: string): void {
  const { ready, backends } = speech.texts.chat;
  announce(ready(model || backends.builtIn)); // which has no name of its own
  composer.focus();
}

/** Said to screen readers, and shown for a moment. */
function announce(text: string): void {
  setText('announce', text);
  clearTimeout(announcing);
  announcing = window.setTimeout(() => setText('announce', ''), ANNOUNCED_MS);
}

async function again(): Promise<void> {
  composer.focus();
  await talk.answerAgain();
}

function copy(text: string): void {
  const { copied, notCopied } = speech.texts.chat;
  const clipboard = navigator.clipboard as Clipboard | undefined; // not on plain http addresses
  const done = clipboard ? clipboard.writeText(text) : Promise.reject(new Error('no clipboard'));
  done.then(
    () => announce(copied),
    () => announce(notCopied),
  );
}

async function remove(file: string): Promise<void> {
  await loader.remove(file);
  announce(speech.texts.chat.deleted(file));
  byId('stored-title').focus(); // the button is gone
}

onClick('begin', () => void loader.download(threads));
onClick('built-in', () => void loader.openBuiltIn());
onClick('cancel', () => loader.cancel());
onClick('change', () => void loader.leave().then(() => byId('begin').focus()));
onClick('fresh', () => {
  talk.fresh();
  composer.focus();
});
onClick('save', () => {
  const { chat } = speech.texts;
  offerFile(asMarkdown(talk.state.turns, chat), 'text/markdown', chat.fileName);
});

byId('log').addEventListener('click', copyCode);
byId('writing').addEventListener('click', copyCode);
function copyCode({ target }: Event): void {
  if (target instanceof HTMLElement && target.matches('.copy-code')) copy(target.nextElementSibling?.textContent ?? '');
}

const own = element('own', HTMLInputElement);
own.addEventListener('change', () => {
  const [file] = own.files ?? [];
  own.value = ''; // so that the same file may be chosen again
  if (file) void loader.openOwn(file, threads);
});

const card = byId('start-card');
card.addEventListener('dragover', (event) => event.preventDefault());
card.addEventListener('drop', (event) => {
  event.preventDefault();
  const file = event.dataTransfer?.files[0];
  if (file) void loader.openOwn(file, threads);
});

connectOptions(talk, (chosen) => {
  threads = chosen;
  void loader.reopen(chosen);
});
