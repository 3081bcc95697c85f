/** What several pages say, in Korean. */

import type { BrowserName, Step, System } from '../keys';
import type { Texts } from '../texts';

export const shared: Texts['shared'] = {
  language: '언어',
  pages: '페이지',
  names: { overview: '한눈에 보기', chat: '비공개 채팅', digits: '숫자 그리기' },
  reasons: {
    insecure: 'WebGPU를 쓸 수 없습니다. 브라우저는 https 페이지와 이 컴퓨터 자신의 주소에서만 제공합니다.',
    'no-api': 'WebGPU를 쓸 수 없습니다. 이 브라우저는 제공하지 않습니다.',
    'no-adapter': 'WebGPU를 쓸 수 없습니다. 브라우저는 알고 있지만 쓸 수 있는 그래픽 어댑터를 찾지 못했습니다.',
    'adapter-failed': 'WebGPU를 쓸 수 없습니다. 브라우저가 그래픽 어댑터를 찾다가 실패했습니다.',
  },
  step: (step: Step, browser: BrowserName, system: System): string => {
    const scheme = browser === 'edge' ? 'edge' : 'chrome';
    const steps: Record<Step, string> = {
      'safe-address':
        '그 컴퓨터에서 직접 http://localhost로 열거나 https로 여십시오. WebAssembly는 여기서도 작동합니다.',
      update:
        system === 'ios'
          ? 'iOS 또는 iPadOS 26 이상으로 업데이트하십시오. 그곳의 모든 브라우저는 시스템 엔진을 씁니다.'
          : '브라우저를 업데이트하십시오. 새 버전에는 WebGPU가 있습니다.',
      'chromium-flags':
        `${scheme}://flags를 열어 “Unsafe WebGPU Support”를, Linux에서는 “Vulkan”도 켜고 브라우저를 다시 시작하십시오. ` +
        `찾은 내용은 ${scheme}://gpu에 나옵니다.`,
      'chromium-acceleration':
        `${scheme}://settings/system에서 “가능한 경우 그래픽 가속 사용”을 켜고, 그래픽 드라이버를 업데이트한 뒤 ` +
        `브라우저를 다시 시작하십시오. 찾은 내용은 ${scheme}://gpu에 나옵니다.`,
      'firefox-setting':
        'about:config에서 dom.webgpu.enabled를 true로 바꾸고 다시 시작하십시오. Linux에서는 아직 시험 기능입니다.',
      'firefox-acceleration':
        '설정의 성능에서 하드웨어 가속을 켜고 그래픽 드라이버를 업데이트하십시오. 찾은 내용은 about:support에 나옵니다.',
      'safari-settings': 'Safari 고급 설정의 기능 플래그에서 WebGPU를 찾아 켜십시오.',
      'other-browser': '최신 Chrome, Edge, Firefox 또는 Safari를 써 보십시오. WebAssembly는 여기서도 작동합니다.',
    };
    return steps[step];
  },
  cancel: '취소',
  licences: '이 페이지에 포함된 것의 라이선스',
  problemDetail: (detail: string) => `(${detail})`,
  isolation:
    'Homeward처럼 Cross-Origin-Opener-Policy: same-origin과 Cross-Origin-Embedder-Policy: require-corp 헤더로 페이지를 ' +
    '제공하십시오.',
  driver: '브라우저와 그래픽 드라이버를 업데이트하십시오.',
};
