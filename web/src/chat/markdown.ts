/**
 * Answers as HTML that can do no harm: no HTML of the model's, no pictures, nothing that asks for anything by itself,
 * and links only to the web and to mail, which open elsewhere. Knows no DOM.
 */

import MarkdownIt from 'markdown-it';

const LINK = /^(?:https?:\/\/|mailto:)/i;
const DEEPEST_HEADING = 6;
const HEADINGS_ABOVE = 2; // the page's own

interface Words {
  readonly copyCode: string;
}

const markdown = new MarkdownIt({ html: false, linkify: false, breaks: true }).disable('image');
const { rules } = markdown.renderer;
const { escapeHtml } = markdown.utils;

markdown.validateLink = (url) => LINK.test(url);
rules.link_open = (tokens, index, options, _words, renderer) => {
  tokens[index]?.attrSet('target', '_blank');
  tokens[index]?.attrSet('rel', 'noopener noreferrer');
  return renderer.renderToken(tokens, index, options);
};
rules.fence = rules.code_block = (tokens, index, _options, words) =>
  `<div class="code"><button type="button" class="copy-code">${escapeHtml(String(words?.['copyCode']))}</button>` +
  `<pre tabindex="0"><code>${escapeHtml(tokens[index]?.content ?? '')}</code></pre></div>\n`;
rules.heading_open = rules.heading_close = (tokens, index, options, _words, renderer) => {
  const token = tokens[index];
  if (token) token.tag = `h${Math.min(Number(token.markup.length || 1) + HEADINGS_ABOVE, DEEPEST_HEADING)}`;
  return renderer.renderToken(tokens, index, options);
};
rules.table_open = () => '<div class="wide" tabindex="0"><table>\n';
rules.table_close = () => '</table></div>\n';
// The page's security policy forbids style attributes, which columns are aligned with.
rules.th_open = rules.td_open = (tokens, index, options, _words, renderer) => {
  const token = tokens[index];
  const side = /(center|right)/.exec(String(token?.attrGet('style')))?.[1];
  if (token) token.attrs = side ? [['class', side]] : null;
  return renderer.renderToken(tokens, index, options);
};

export function render(text: string, words: Words): string {
  return markdown.render(text, { ...words }); // the parser keeps an answer's link definitions in there
}

/** An answer while it grows: what can't change any more is rendered once. */
export class Growing {
  private settled = 0;

  constructor(private readonly words: Words) {}

  /** `text` is the whole answer so far. `settled` is to be appended, `open` replaces the `open` before. */
  grow(text: string): { readonly settled: string; readonly open: string } {
    const rest = unified(text).slice(this.settled);
    const end = startOfLastBlock(rest);
    this.settled += end;
    return { settled: render(rest.slice(0, end), this.words), open: render(rest.slice(end), this.words) };
  }
}

/** Line ends as the parser counts them. A last one may be half of a pair. */
function unified(text: string): string {
  return text.replace(/\r$/, '').replace(/\r\n?/g, '\n');
}

/** Only the last block may still change: it grows, or becomes a heading by the line after it. */
function startOfLastBlock(text: string): number {
  const lines = markdown.parse(text, {}).flatMap(({ level, map }) => (level === 0 && map ? [map[0]] : []));
  const line = lines.at(-1) ?? 0;
  return text.split('\n', line).reduce((sum, { length }) => sum + length + 1, 0);
}
