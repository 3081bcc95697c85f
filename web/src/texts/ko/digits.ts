/** The page "Draw a digit" in Korean. */

import type { Texts } from '../texts';

export const digits: Texts['digits'] = {
  title: '숫자 그리기',
  lead: '이 탭 안의 작은 모델이 그린 숫자를 읽습니다. 그림과 모델, 답은 모두 이 탭에만 머뭅니다.',
  startTitle: '모델 불러오기',
  startText: (megabytes: string) =>
    `숫자를 읽으려면 ONNX Runtime과 모델이 필요합니다. 이 페이지와 같은 주소에서 ${megabytes} MB를 받으며, ` +
    '다른 곳에서는 아무것도 받지 않습니다. 브라우저가 다음 방문을 위해 보관합니다.',
  start: '불러오기',
  loading: (done: string, all: string) => `불러오는 중: ${all} MB 중 ${done} MB`,
  preparing: (backend: string) => `${backend} 준비 중 …`,
  measuring: (backend: string) => `${backend} 측정 중 …`,
  ready: '준비되었습니다. 숫자를 그려 보세요.',
  cancelled: '취소했습니다.',

  drawTitle: '내 그림',
  padLabel: '그리는 곳',
  padHelp:
    '마우스, 손가락 또는 펜으로 그립니다. 키보드: 화살표 키로 펜을 움직이고, 스페이스로 펜을 내리거나 들고, ' +
    '백스페이스로 한 획을 지우고, 엔터로 그림을 읽습니다.',
  penDown: '펜을 내렸습니다',
  penUp: '펜을 들었습니다',
  clear: '모두 지우기',
  undo: '한 획 지우기',
  recognise: '읽기',
  example: '또는 예시 고르기: ',
  exampleNone: '없음',

  answerTitle: '모델이 읽은 것',
  answerNone: '아직 그린 것이 없습니다.',
  answerWaiting: '모델을 불러오면 읽어 드립니다.',
  answer: (label: string, percent: string) => `${label}, 확신도 ${percent}`,
  seenText: (width: number, height: number) => `모델이 보는 그림: 잘라서 가운데에 놓은 ${width} × ${height} 픽셀`,
  seenLabel: '모델이 보는 그림',
  barsCaption: '각 클래스에 대한 모델의 확신도',
  barsClass: '클래스',
  barsShare: '비율',
  classNumber: (index: number) => `클래스 ${index}`,

  whereTitle: '실행되는 곳',
  badge: {
    webgpu: 'WebGPU로 읽음',
    software: '소프트웨어 WebGPU로 읽음',
    wasm: 'WebAssembly(프로세서)로 읽음',
  },
  gpuHardware: (adapter: string) => `WebGPU를 쓸 수 있습니다. 어댑터: ${adapter}.`,
  gpuSoftware: (adapter: string) =>
    `WebGPU가 있지만 프로세서에서 소프트웨어로만 실행됩니다. 어댑터: ${adapter}. 비교를 위해 보여 드립니다.`,
  gpuFailed: (detail: string) => `WebGPU가 있었지만 이 모델을 실행하지 못했습니다. 브라우저의 설명: ${detail}`,
  recovered: (times: number) => `${times}번 다시 시작했습니다.`,
  timesCaption: 'WebGPU와 WebAssembly의 시간',
  times: {
    adapter: '장치',
    create: '모델 불러오기',
    first: '첫 실행',
    later: '이후 실행, 중앙값',
    reads: '읽은 것',
  },
  processor: '프로세서, 스레드 1개',
  milliseconds: (value: string) => `${value} ms`,
  ofRuns: (value: string, runs: number) => `${value} ms (${runs}회)`,
  notThere: '없음',
  notYet: '–',
  timesNote:
    'WebGPU의 첫 실행은 셰이더를 컴파일합니다. 이렇게 작은 모델은 그래픽 카드보다 프로세서가 빠를 때가 많고, 큰 모델일수록 ' +
    '그래픽 카드가 유리합니다.',

  modelTitle: '모델',
  modelOurs: (percent: string, images: string, kilobytes: string) =>
    `Homeward의 모델, ${kilobytes} KB. 학습에 쓰지 않은 손글씨 숫자 ${images}개 중 ${percent}를 바르게 읽습니다. ` +
    '작은 스캔을 확대한 그림이라 다른 필기에 대해서는 알려 주는 것이 적습니다. 무엇을 그려도 숫자로 답합니다.',
  modelOwn: (name: string, kilobytes: string) => `직접 고른 파일 ${name}, ${kilobytes} KB. 이 탭에만 머뭅니다.`,
  inputs: '입력',
  outputs: '출력',
  fetched: '이 Homeward가 받아 둔 모델',
  fetchedNone: '고르지 않음',
  own: '내 ONNX 이미지 분류 모델 쓰기',
  ownHelp:
    'mnist-12.onnx처럼 디스크에 있는 파일. 입력 하나, 채널 1개 또는 3개, 0에서 1까지의 float32. 그림은 모델의 크기에 맞춰 ' +
    '전달되고, 첫 번째 출력을 보여 줍니다.',
  back: '우리 모델로 돌아가기',
  save: '숫자 저장하기',

  problems: {
    empty: '빈 파일입니다. 다른 파일을 고르십시오.',
    'too-large': '파일이 512 MB를 넘습니다. 더 작은 파일을 고르십시오.',
    'web-page': '모델이 아니라 웹 페이지입니다. 다운로드가 잘못된 듯합니다. 파일 자체를 받으십시오.',
    pointer: '모델이 아니라 Git LFS 포인터입니다. 그것이 가리키는 파일을 받으십시오.',
    'not-onnx': 'ONNX 모델이 아닙니다. .onnx로 끝나는 파일을 고르십시오.',
    cut: 'ONNX 파일이 중간에 잘렸습니다. 다시 받으십시오.',
    'external-data': '이 모델은 가중치를 다른 파일에 둡니다. 모든 것이 한 파일에 있는 모델을 고르십시오.',
    'not-a-picture':
      '그림 하나를 받는 모델이 아닙니다. float32 입력 하나에 채널이 1개 또는 3개, 크기가 8~1024 픽셀로 정해져 있어야 합니다. ' +
      '이미지 분류 모델을 고르십시오.',
    refused: 'ONNX Runtime이 이 모델을 불러오지 못했습니다. 다른 모델을 고르거나 opset 17로 다시 내보내십시오.',
    unreachable: '필요한 것을 불러오지 못했습니다. 응답이 없습니다. Homeward가 실행 중인지 확인하고 다시 불러오십시오.',
    missing: '서버에 이 페이지의 파일이 없습니다. 페이지를 새로 고치고, 그래도 안 되면 Homeward를 다시 설치하십시오.',
    'run-failed': '모델이 이 그림을 읽지 못했습니다. 다시 읽거나 페이지를 새로 고치십시오.',
  },
};
