/** Finding, making and changing elements. */

export function element<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${id}`);
  return found;
}

export const byId = (id: string): HTMLElement => element(id, HTMLElement);

/** A new element with a text. */
export function made<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  text = '',
  className = '',
): HTMLElementTagNameMap[Tag] {
  const created = document.createElement(tag);
  created.textContent = text;
  if (className) created.className = className;
  return created;
}

export function madeButton(text: string, pressed: () => void, className = ''): HTMLButtonElement {
  const button = made('button', text, className);
  button.type = 'button';
  button.addEventListener('click', pressed);
  return button;
}

/** Screen readers speak a status only when its text changes; so it is left alone while it stays the same. */
export function setText(place: string | HTMLElement, text: string): void {
  const found = typeof place === 'string' ? byId(place) : place;
  if (found.textContent !== text) found.textContent = text;
}

export function onClick(id: string, action: () => void): void {
  element(id, HTMLButtonElement).addEventListener('click', action);
}

/** Gives the user a file that was made here. */
export function offerFile(content: string, mediaType: string, name: string): void {
  const url = URL.createObjectURL(new Blob([content], { type: mediaType }));
  Object.assign(document.createElement('a'), { href: url, download: name }).click();
  URL.revokeObjectURL(url);
}
