/** What every page does: speaks the user's language, and keeps working with the network cut. */

import { keepOffline } from '../offline/register';
import { type Language, TEXTS, type Texts, languageOf, textAt } from '../texts/texts';
import { element } from './dom';

const LANGUAGE_KEY = 'homeward-language';

export interface Speech {
  readonly texts: Texts;
  readonly language: Language;
}

/** `root` leads from the page to the overview; `spoken` is called at once, and again when the language changes. */
export function openPage(name: keyof Texts['shared']['names'], root: string, spoken: (speech: Speech) => void): void {
  const choice = element('language', HTMLSelectElement);
  const speak = (): void => {
    const language = languageOf(choice.value, []);
    writeFixedTexts(TEXTS[language], language, name);
    spoken({ texts: TEXTS[language], language });
  };
  choice.value = languageOf(storedLanguage(), navigator.languages);
  choice.addEventListener('change', () => {
    storeLanguage(choice.value);
    speak();
  });
  speak();
  keepOffline(root);
}

/** Elements name their text by its path: `data-text` for their content, `data-label` for screen readers. */
function writeFixedTexts(texts: Texts, language: Language, name: keyof Texts['shared']['names']): void {
  document.documentElement.lang = language;
  document.title = `${texts[name].title} · Homeward`;
  for (const place of document.querySelectorAll<HTMLElement>('[data-text]')) {
    place.textContent = textAt(texts, place.dataset['text'] ?? '');
  }
  for (const place of document.querySelectorAll<HTMLElement>('[data-label]')) {
    place.setAttribute('aria-label', textAt(texts, place.dataset['label'] ?? ''));
  }
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
