/** What several pages say, in English. */

import type { BrowserName, Reason, Step, System } from '../keys';

export const shared = {
  language: 'Language',
  pages: 'Pages',
  names: { overview: 'Overview', chat: 'Private chat', digits: 'Draw a digit' },
  reasons: {
    insecure: 'WebGPU is not there: browsers offer it on https pages and on this machine itself only.',
    'no-api': 'WebGPU is not there: this browser does not offer it.',
    'no-adapter': 'WebGPU is not there: the browser knows it, but found no graphics adapter that it may use.',
    'adapter-failed': 'WebGPU is not there: the browser failed when it was asked for a graphics adapter.',
  } satisfies Record<Reason, string>,
  step: (step: Step, browser: BrowserName, system: System): string => {
    const scheme = browser === 'edge' ? 'edge' : 'chrome';
    const steps: Record<Step, string> = {
      'safe-address': 'Open it on the machine itself as http://localhost, or over https. WebAssembly works here too.',
      update:
        system === 'ios'
          ? 'Update to iOS or iPadOS 26 or later: all browsers there use the system’s engine.'
          : 'Update this browser: newer versions have WebGPU.',
      'chromium-flags':
        `Open ${scheme}://flags, enable “Unsafe WebGPU Support” and, on Linux, “Vulkan”, and restart the browser. ` +
        `${scheme}://gpu shows what it found.`,
      'chromium-acceleration':
        `Turn on “Use graphics acceleration when available” in ${scheme}://settings/system, update the graphics ` +
        `driver, and restart the browser. ${scheme}://gpu shows what it found.`,
      'firefox-setting': 'Open about:config, set dom.webgpu.enabled to true, and restart. On Linux this is still a trial.',
      'firefox-acceleration':
        'Turn on hardware acceleration in the settings under Performance, and update the graphics driver. ' +
        'about:support shows what Firefox found.',
      'safari-settings': 'Look for WebGPU under the feature flags in Safari’s advanced settings, and turn it on.',
      'other-browser': 'Try a current Chrome, Edge, Firefox or Safari. WebAssembly works here too.',
    };
    return steps[step];
  },
  cancel: 'Cancel',
  licences: 'Licences of what this page contains',
  problemDetail: (detail: string) => `(${detail})`,
  isolation:
    'Serve the pages with the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: ' +
    'require-corp, as Homeward does.',
  driver: 'Update the browser and the graphics driver.',
};
