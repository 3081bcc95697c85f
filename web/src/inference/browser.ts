/** Which browser this is, as far as advice depends on it; never used to decide what works. */

export type BrowserName = 'chrome' | 'edge' | 'firefox' | 'safari' | 'other';
export type System = 'windows' | 'mac' | 'linux' | 'android' | 'ios' | 'other';

export interface Browser {
  readonly name: BrowserName;
  readonly version: number;
  readonly system: System;
}

const NAMES: readonly (readonly [BrowserName, RegExp])[] = [
  ['edge', /\bEdg(?:A|iOS)?\/(\d+)/],
  ['firefox', /\b(?:Firefox|FxiOS)\/(\d+)/],
  ['other', /\b(?:OPR|SamsungBrowser|YaBrowser)\/(\d+)/],
  ['chrome', /\b(?:Chrome|CriOS|HeadlessChrome)\/(\d+)/],
  ['safari', /\bVersion\/(\d+).* Safari\//],
];
const SYSTEMS: readonly (readonly [System, RegExp])[] = [
  ['ios', /\biP(?:hone|ad|od)\b/],
  ['android', /\bAndroid\b/],
  ['windows', /\bWindows\b/],
  ['mac', /\bMacintosh\b/],
  ['linux', /\bLinux\b|\bCrOS\b/],
];

export function browserOf(userAgent: string): Browser {
  const system = SYSTEMS.find(([, pattern]) => pattern.test(userAgent))?.[0] ?? 'other';
  for (const [name, pattern] of NAMES) {
    const version = pattern.exec(userAgent)?.[1];
    if (version !== undefined) return { name, version: Number(version), system };
  }
  return { name: 'other', version: 0, system };
}
