import { describe, expect, it } from 'vitest';

import { Growing, render } from './markdown';

const WORDS = { copyCode: 'Copy <code>' };
const html = (text: string): string => render(text, WORDS);

describe('what a model writes can do no harm', () => {
  it.each([
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '<b>bold</b> <!-- comment --> <iframe src="//evil.example"></iframe>',
    'a <a href="https://evil.example" onclick="x()">link</a>',
  ])('shows HTML as text: %s', (text) => {
    expect(html(text)).not.toMatch(/<(?!\/?p>)/);
  });

  it.each([
    '![alt](https://evil.example/a.png)',
    '![alt][1]\n\n[1]: https://evil.example/a.png',
    '![](data:image/png;base64,AA)',
  ])('shows no picture: %s', (text) => {
    expect(html(text)).not.toMatch(/<(img|picture|video|svg|object)/);
  });

  it.each([
    '[a](javascript:alert(1))',
    '[a](JaVaScRiPt:alert(1))',
    '[a](&#106;avascript:alert(1))',
    '[a](data:text/html,hello)',
    '[a](vbscript:x)',
    '[a](file:///etc/passwd)',
    '[a](//evil.example)',
    '[a](chat/)',
    '<javascript:alert(1)>',
    '[a][1]\n\n[1]: javascript:alert(1)',
    '[a](blob:https://x)',
  ])('makes no link of %s', (text) => {
    expect(html(text)).not.toContain('<a ');
  });

  it('has links to the web and to mail open elsewhere', () => {
    for (const url of ['https://example.org/?a=1', 'http://example.org', 'mailto:a@example.org']) {
      const elsewhere = 'target="_blank" rel="noopener noreferrer"';
      expect(html(`[a](${url} "title")`)).toContain(`href="${url}" title="title" ${elsewhere}`);
    }
  });

  it('escapes code, and the words on its button', () => {
    const written = html('```html"onload=x\n<script>&\n```');
    expect(written).toContain('<code>&lt;script&gt;&amp;\n</code>');
    expect(written).toContain('>Copy &lt;code&gt;</button>');
    expect(written).not.toContain('onload');
  });

  it('uses no style attributes, which the security policy forbids', () => {
    const table = html('| a | b | c |\n|:-:|--:|---|\n| 1 | 2 | 3 |');
    expect(table).not.toContain('style');
    expect(table).toContain('<th class="center">a</th>');
    expect(table).toContain('<td class="right">2</td>');
  });
});

it('puts headings below those of the page', () => {
  expect(html('# a\n\n###### b\n\nc\n-')).toBe('<h3>a</h3>\n<h6>b</h6>\n<h3>c</h3>\n');
});

const ANSWER =
  '# Title\r\n\r\nOne *word*\nand more\n\nHeading\n=====\n\n1. a\n2. b\n\n   - c\n\n```js\nlet a;\n\nlet b;\n```\n\n' +
  '| a | b |\n|--|--|\n| 1 | 2 |\n\n> quoted\n\n***\n\n    indented\n\nlast [link](https://example.org) line';

describe('an answer that grows', () => {
  it.each([1, 2, 7, 1000])('ends as if it had been rendered at once, in steps of %d', (step) => {
    const growing = new Growing(WORDS);
    let settled = '';
    let open = '';
    for (let end = 1; end < ANSWER.length + step; end += step) {
      const grown = growing.grow(ANSWER.slice(0, end));
      settled += grown.settled;
      open = grown.open;
    }
    expect(settled + open).toBe(html(ANSWER));
  });

  it('renders what is settled no more', () => {
    const growing = new Growing(WORDS);
    const paragraphs = Array.from({ length: 50 }, (_, index) => `paragraph ${index}\n\n`);
    for (const end of paragraphs.keys()) {
      const { settled, open } = growing.grow(paragraphs.slice(0, end + 1).join(''));
      expect((settled + open).match(/<p>/g)?.length).toBeLessThanOrEqual(2);
    }
  });

  it('shows code before its end is there', () => {
    expect(new Growing(WORDS).grow('```\nlet a').open).toContain('<code>let a');
  });
});
