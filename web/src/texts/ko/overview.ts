/** The overview in Korean. */

import type { Texts } from '../texts';

export const overview: Texts['overview'] = {
  title: '이 브라우저 안의 AI',
  lead:
    '이 탭 안에서, 내 프로세서나 그래픽 카드로 모델을 실행하는 두 페이지입니다. 여기에 쓰거나 그린 것은 아무 데도 보내지 않으며, ' +
    '이 페이지를 제공하는 컴퓨터에도 보내지 않습니다.',
  chatCard: '작은 언어 모델과 대화합니다. 동의하면 한 번만 다운로드하고, 네트워크가 끊겨도 작동합니다.',
  chatOpen: '비공개 채팅 열기',
  digitsCard: '숫자를 그리면 작은 모델이 WebGPU와 프로세서에서 어떻게 읽는지 보여 줍니다.',
  digitsOpen: '그리기 페이지 열기',
  difference:
    'Homeward의 메인 채팅에서 “이 브라우저”를 고르면 같은 모델을 쓰지만, 글이 Homeward가 실행되는 컴퓨터의 서버를 거치고 그 밖으로는 ' +
    '나가지 않습니다. 여기서는 글이 탭을 벗어나지도 않습니다.',
  mainChat: '메인 채팅으로',
  tableTitle: '이 브라우저가 할 수 있는 것',
  feature: '기능',
  answer: '여기서는',
  asking: '브라우저에 묻는 중 …',
  withSafeAddress: '안전한 주소에서는 쓸 수 있습니다. 첫째 줄을 보십시오.',
  states: { yes: '가능', partly: '일부', no: '불가' },

  secure: {
    name: '안전한 주소',
    yes: 'https 주소이거나 이 컴퓨터 자신의 주소입니다.',
    no: '다른 컴퓨터의 암호화되지 않은 http 주소입니다. 브라우저는 이런 페이지에 WebGPU도 스레드도 저장 공간도 주지 않습니다.',
  },
  webgpu: {
    name: 'WebGPU',
    yes: (adapter: string) => `그래픽 카드로 모델을 실행할 수 있습니다. 어댑터: ${adapter}.`,
    software: (adapter: string) => `프로세서에서 소프트웨어로만 실행되므로 WebAssembly를 대신 씁니다. 어댑터: ${adapter}.`,
    noF16: (adapter: string) => `그림에는 충분하지만 언어 모델에는 16비트 수(shader-f16)가 필요합니다. 어댑터: ${adapter}.`,
  },
  threads: {
    name: '스레드',
    yes: (threads: string, cores: string) => `브라우저가 제공하는 프로세서 코어 ${cores}개 중 ${threads}개를 언어 모델이 씁니다.`,
    fewCores: (cores: string) => `브라우저가 제공하는 프로세서 코어는 ${cores}개입니다. 컴퓨터가 느려지지 않도록 언어 모델은 하나만 씁니다.`,
    notIsolated: '페이지가 격리되어 있지 않아 모델이 코어 하나로 실행됩니다.',
  },
  storage: {
    name: '저장 공간',
    yes: '모델은 삭제할 때까지 보관됩니다.',
    partly: '모델을 보관하지만, 디스크가 가득 차면 브라우저가 지울 수 있습니다.',
    no: '이 브라우저는 여기에 모델을 보관하지 않아, 방문할 때마다 다시 다운로드합니다.',
    privateWindow: '시크릿 창에서 나오거나, 이 주소에 데이터 저장을 허용하십시오.',
  },
  offline: {
    name: '네트워크 없이',
    yes: '방문한 페이지와 저장된 모델은 네트워크 없이 작동합니다.',
    soon: '브라우저가 페이지를 저장하고 있습니다. 잠시 후 새로 고치십시오.',
    no: '이 브라우저는 여기서 서비스 워커를 쓸 수 없어, 방문할 때마다 서버가 필요합니다.',
  },
  builtIn: {
    name: 'Chrome 내장 모델',
    available: '내장 모델이 있으며, 비공개 채팅에서 다운로드 없이 쓸 수 있습니다.',
    downloadable: 'Chrome이 다운로드할 수 있습니다. 이 페이지는 그 다운로드를 시작하지 않습니다.',
    absent: '이 브라우저에는 없습니다. 여기서는 필요하지 않습니다.',
  },
};
