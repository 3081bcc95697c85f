import { policy } from "./korean-policy.js"

export const korean = {
  language: "ko",
  back: "대화로 돌아가기",
  title: "모델",
  lead: "이 컴퓨터에 어떤 모델이 있고 어느 모델이 답하는지 보여 줍니다. 어느 것을 골라도 입력한 글은 이 컴퓨터에 남습니다.",
  use: "사용",
  again: "다시 시도",
  cancel: "취소",
  dismiss: "닫기",
  no: "취소",
  unknown: "알 수 없음",
  about: (size) => `약 ${size}`,
  of: (part, whole) => `${whole} 중 ${part}`,
  tokens: (count) => `${count} 토큰`,
  devices: { cpu: "프로세서(CPU)", gpu: "그래픽 프로세서(GPU)", npu: "신경망 프로세서(NPU)" },
  tools: { true: "예", false: "아니요" },
  fits: { true: "지금 맞음", false: "지금은 맞지 않음" },
  timeLeft: {
    soon: "1분 미만 남음",
    minutes: (count) => `약 ${count}분 남음`,
    hours: (hours, minutes) => `약 ${hours}시간 ${minutes}분 남음`
  },
  facts: {
    engine: "실행 엔진", size: "크기", context: "문맥 길이", license: "라이선스", device: "계산 장치", tools: "도구 호출",
    memory: "필요한 메모리"
  },
  problems: {
    unreachable: "Homeward가 응답하지 않습니다. 잠시 후 다시 시도하세요.",
    silent: "Homeward가 응답하지 않습니다. 다시 시도하는 중…",
    recovered: "Homeward가 다시 응답합니다.",
    internal: "Homeward 내부 오류입니다. 자세한 내용은 로그에 있습니다."
  },
  now: {
    title: "지금 답하는 모델",
    nothing: "아직 답하는 모델이 없습니다",
    nothingHint: "아래에서 고르거나 새로 추가하세요.",
    loading: "불러오는 중",
    states: {
      ready: "준비됨", loading: "불러오는 중…", stopped: "다음 질문 때 불러옵니다", failed: "답할 수 없음",
      absent: "없음", service: "이 컴퓨터의 다른 프로그램을 통해 답합니다"
    },
    memory: (held) => `메모리 ${held}`,
    memoryOf: (held, expected) => `약 ${expected} 중 ${held}`,
    ready: (name) => `${name} 준비가 끝났습니다. 이제부터 이 모델이 답하게 할까요?`,
    useIt: "사용하기",
    later: "나중에",
    missing: (name) => `${name} 모델이 답해야 하지만 이 컴퓨터에 없습니다.`,
    missingService: "지정한 주소의 서비스가 답해야 하지만 찾지 못했습니다.",
    find: "카탈로그에서 찾기"
  },
  downloads: {
    title: "다운로드",
    repaired: "받은 파일이 온전하지 않아 한 번 더 받고 있습니다.",
    goOn: "이어 받기",
    kept: (arrived) => `받은 ${arrived}는 그대로 보관됩니다.`,
    states: {
      downloading: "다운로드 중…", checking: "파일을 확인하는 중…", cancelled: "취소했습니다.", failed: "중단되었습니다.",
      done: (name) => `${name} 이름으로 이 컴퓨터에 있습니다. 파일은 온전합니다.`
    }
  },
  here: {
    title: "이 컴퓨터의 모델",
    nothing: "아직 모델이 없습니다. 파일에서 추가하거나 카탈로그를 보세요.",
    answers: "지금 답하는 모델",
    states: { idle: "메모리에 없음", loading: "불러오는 중…", ready: "메모리에 있음", failed: "불러오지 못함" },
    holds: (size) => `지금 메모리 ${size}를 쓰고 있습니다.`,
    check: "파일 확인",
    repair: "복구",
    remove: "제거",
    checks: {
      never: "파일을 아직 확인하지 않았습니다.", checking: "파일을 확인하는 중…", whole: "파일이 온전합니다.",
      damaged: "파일이 손상되었습니다:"
    },
    sources: { starter: "Homeward와 함께 설치됨", own: "직접 추가한 파일 또는 폴더", catalogue: "Foundry Local 카탈로그" },
    more: { title: "위치", facts: { name: "이름", source: "출처", path: "경로" } },
    removing: {
      title: (name) => `${name} 모델을 제거할까요?`,
      list: "이 목록에서만 빠지며 파일은 그대로 남습니다.",
      files: (size) => `이 디스크에서 ${size}가 삭제됩니다. 다시 쓰려면 새로 다운로드해야 합니다.`,
      inUse: "지금 답하는 모델입니다. 제거하면 다른 모델이 대신 답합니다.",
      yesList: "목록에서 빼기",
      yesFiles: "파일 삭제"
    },
    repairing: {
      title: (name) => `${name} 모델을 다시 받을까요?`,
      what: (size) => `손상된 파일을 삭제하고 ${size}를 다시 다운로드합니다.`,
      yes: "복구"
    },
    adding: {
      title: "파일이나 폴더에서 모델 추가",
      hint: ".gguf 파일 또는 genai_config.json이 있는 ONNX 폴더를 지정하세요. 파일은 옮기지 않습니다.",
      example: "/path/to/model.gguf",
      add: "추가",
      empty: "파일이나 폴더를 지정하세요."
    }
  },
  catalogue: {
    title: "카탈로그",
    hint: "Microsoft의 Foundry Local 카탈로그에 더 많은 모델이 있습니다. 카탈로그를 보면 네트워크로 Microsoft 서버에 요청을 보내지만, 아직 아무것도 다운로드하지 않습니다.",
    sent: "Microsoft는 IP 주소와 이 컴퓨터의 종류만 알게 되며, 대화 내용은 한 글자도 보내지 않습니다.",
    short: "네트워크로 Microsoft 카탈로그에 요청을 보냅니다. 아직 아무것도 다운로드하지 않습니다.",
    look: "카탈로그 보기",
    looking: "카탈로그에 요청하는 중…",
    lookAgain: "다시 요청",
    filter: "찾기",
    onlyFitting: "지금 메모리에 맞는 것만",
    count: (shown, all) => `${all}개 중 ${shown}개 표시`,
    columns: {
      name: "모델", license: "라이선스", size: "다운로드 크기", context: "문맥 길이", device: "계산 장치", tools: "도구 호출",
      memory: "필요한 메모리", action: "할 일"
    },
    download: "다운로드",
    progress: { moving: "다운로드 중…", here: "이 컴퓨터에 있음" },
    downloading: {
      title: (name) => `${name} 모델을 다운로드할까요?`,
      disk: "디스크 여유 공간",
      noRoom: "디스크 공간이 부족합니다.",
      tooLarge: "지금은 메모리에 맞지 않아 이 컴퓨터에서 실행되지 않을 수 있습니다.",
      what: "Microsoft 서버에서 받아 파일을 확인한 뒤 ‘이 컴퓨터의 모델’에 표시합니다. 언제든 취소할 수 있습니다."
    }
  },
  services: {
    title: "이 컴퓨터의 서비스",
    hint: "이미 실행 중인 Ollama, LM Studio, Foundry Local 등도 답할 수 있습니다. 이 컴퓨터에만 물어보며, 아무것도 시작하지 않습니다.",
    search: "이 컴퓨터에서 찾기",
    searching: "찾는 중…",
    again: "다시 찾기",
    nothing: "이 컴퓨터에서 응답하는 다른 서비스가 없습니다.",
    why: "다른 서비스를 찾지 못한 이유",
    noModels: "아직 모델이 없습니다.",
    loaded: { true: "메모리에 있음", false: "메모리에 없음", null: "" }
  },
  machine: {
    title: "이 컴퓨터",
    facts: { memory: "메모리", free: "지금 여유", disk: "디스크 여유", cores: "프로세서 코어" },
    available: { true: "사용 가능", false: "사용할 수 없음" },
    devices: "계산 장치",
    onlyProcessor: "프로세서(CPU)뿐입니다. Foundry Local이 아는 그래픽·신경망 프로세서가 없습니다.",
    registered: { true: "사용 중", false: "라이브러리가 이 컴퓨터에 없음" },
    look: "그래픽·신경망 프로세서 찾기",
    lookAgain: "다시 찾기",
    hint: "Foundry Local을 잠시 실행해 이 컴퓨터를 살펴봅니다. 아무것도 다운로드하지 않습니다."
  },
  announced: {
    ready: (name) => `${name} 준비가 끝났습니다.`,
    loading: (name) => `${name} 모델을 불러오는 중입니다.`,
    failed: (name) => `${name} 모델이 답할 수 없습니다.`,
    service: (name) => `이제부터 ${name} 모델이 답합니다.`,
    stopped: (name) => `${name} 모델은 다음 질문 때 불러옵니다.`,
    absent: (name) => `${name} 모델이 없습니다.`,
    downloads: {
      downloading: (title) => `${title} 다운로드를 시작했습니다.`,
      checking: (title) => `${title} 파일을 확인하는 중입니다.`,
      done: (title) => `${title} 모델이 이 컴퓨터에 있습니다.`,
      cancelled: (title) => `${title} 다운로드를 취소했습니다.`,
      failed: (title) => `${title} 다운로드가 중단되었습니다.`
    },
    added: (title) => `${title} 모델을 추가했습니다.`,
    removed: (title) => `${title} 모델을 제거했습니다.`,
    checks: {
      whole: (title) => `${title} 파일이 온전합니다.`,
      damaged: (title) => `${title} 파일이 손상되었습니다.`,
      never: (title) => `${title} 확인이 끝나지 않았습니다.`
    },
    searched: (count) => `서비스 ${count}개를 찾았습니다.`
  },
  policy
}
