/* What the server says, sentence by sentence: `{}` is a name or number, `{0}` the first of them.
   A sentence that is not here is shown in English, and marked as such. */
export const sentences = {
  // memory and engines
  "Fits: needs about {}, {} free.": "맞습니다: 약 {0} 필요, {1} 사용 가능.",
  "Does not fit now: needs about {}, {} free.": "지금은 맞지 않습니다: 약 {0} 필요, {1} 사용 가능.",
  "{} is switched off in homeward.toml.": "{0}이(가) homeward.toml에서 꺼져 있습니다.",
  "The engine is switched off.": "엔진이 꺼져 있습니다.",
  "Foundry Local is switched off.": "Foundry Local이 꺼져 있습니다.",
  "Set `enabled = true` under {} in homeward.toml.": "homeward.toml의 {0} 아래에 `enabled = true`를 쓰세요.",
  "Foundry Local is not installed, or has no build for this system: pip install foundry-local-sdk.":
    "Foundry Local이 설치되어 있지 않거나 이 시스템용 빌드가 없습니다: pip install foundry-local-sdk.",
  "The model is being loaded.": "모델을 불러오는 중입니다.",
  "The engine did not start.": "엔진이 시작되지 않았습니다.",
  "The log has its last lines.": "로그에 마지막 줄들이 있습니다.",
  "The engine “{}” ended unexpectedly ({}).": "엔진 ‘{0}’이(가) 예기치 않게 끝났습니다({1}).",
  "The engine “{}” no longer answered.": "엔진 ‘{0}’이(가) 더 이상 응답하지 않았습니다.",
  "It is being restarted.": "다시 시작하는 중입니다.",
  "It failed {} times and rests for {} seconds.": "{0}번 실패하여 {1}초 동안 쉽니다.",
  "The model needs about {} of memory ({} for its weights, {} for {} slots of {} tokens), but only {} are free.":
    "모델에 메모리 약 {0}가 필요하지만({1}는 가중치, {2}는 {4} 토큰 슬롯 {3}개) {5}만 비어 있습니다.",
  "Close other programs, or lower the slots to {}.": "다른 프로그램을 닫거나 슬롯을 {0}개로 줄이세요.",
  "Close other programs, or lower the context to {} tokens.": "다른 프로그램을 닫거나 문맥을 {0} 토큰으로 줄이세요.",
  "Close other programs, or choose a smaller model.": "다른 프로그램을 닫거나 더 작은 모델을 고르세요.",
  "{} can't answer.": "{0} 모델은 답할 수 없습니다.",

  // what runtimes send
  "It opens no connection to anybody.": "누구에게도 연결하지 않습니다.",
  "Homeward switches the runtime's telemetry off: it opens no connection while it answers.":
    "Homeward가 이 런타임의 원격 측정을 꺼 두므로, 답하는 동안 어떤 연결도 열지 않습니다.",
  "The catalogue is asked only when you look at it or download; Microsoft then sees this computer's address, never a word of a chat.":
    "카탈로그에는 카탈로그를 보거나 다운로드할 때만 요청합니다. 그때 Microsoft는 이 컴퓨터의 주소를 알게 되지만 대화 내용은 알 수 없습니다.",

  // the catalogue and downloads
  "The catalogue could not be reached.": "카탈로그에 연결하지 못했습니다.",
  "Check the network, then look again.": "네트워크를 확인한 뒤 다시 보세요.",
  "The catalogue could not be asked.": "카탈로그에 요청하지 못했습니다.",
  "The catalogue has no model “{}”.": "카탈로그에 ‘{0}’ 모델이 없습니다.",
  "The catalogue has no model {}.": "카탈로그에 {0} 모델이 없습니다.",
  "The catalogue's storage could not be reached, or refused.": "카탈로그의 저장소에 연결하지 못했거나 거절당했습니다.",
  "What has arrived is kept.": "받은 것은 보관됩니다.",
  "The part that talks to the catalogue stopped.": "카탈로그와 통신하는 부분이 멈췄습니다.",
  "The download broke off.": "다운로드가 끊어졌습니다.",
  "Try again: it goes on where it stopped.": "다시 시도하면 멈춘 곳부터 이어집니다.",
  "Try again.": "다시 시도하세요.",
  "Something went wrong inside Homeward; the log says more.": "Homeward 내부 오류입니다. 자세한 내용은 로그에 있습니다.",
  "{} can't be downloaded.": "{0} 모델을 다운로드할 수 없습니다.",
  "Foundry Local could not do this; its log on this machine says why.":
    "Foundry Local이 처리하지 못했습니다. 이유는 이 컴퓨터의 로그에 있습니다.",

  "{} needs {} of disk, but only {} are free.": "{0}에 디스크 {1}가 필요하지만 {2}만 비어 있습니다.",
  "Make room, or choose another data folder.": "공간을 비우거나 다른 데이터 폴더를 고르세요.",

  // a model on this machine
  "The starter model is part of Homeward's installation and stays.": "기본 모델은 Homeward와 함께 설치되어 제거할 수 없습니다.",
  "{} is your own: Homeward can't fetch it again.": "{0}은(는) 직접 추가한 모델이라 Homeward가 다시 받을 수 없습니다.",
  "Copy it here once more.": "파일을 다시 복사해 넣으세요.",
  "There is nothing at {}.": "{0}에 아무것도 없습니다.",
  "Check the path.": "경로를 확인하세요.",
  "Name a .gguf file, or a folder that has a {}.": ".gguf 파일이나 {0} 파일이 있는 폴더를 지정하세요.",
  "The file {} is not a model.": "{0} 파일은 모델이 아닙니다.",
  "The folder {} has no model in it.": "{0} 폴더에 모델이 없습니다.",
  "The file {} is a part of a model.": "{0} 파일은 모델의 일부입니다.",
  "Name its folder, {}.": "폴더를 지정하세요: {0}.",
  "The {} {} has weights in a format that needs converting first.": "{1}의 가중치는 먼저 변환해야 하는 형식입니다.",
  "Get this model as a .gguf file, or as a folder for ONNX Runtime GenAI.":
    "이 모델을 .gguf 파일이나 ONNX Runtime GenAI용 폴더로 구하세요.",
  "This model is there already, as {}.": "이 모델은 {0} 이름으로 이미 있습니다.",
  "Use it by that name.": "그 이름으로 사용하세요.",
  "There is already a model called {}.": "{0} 이름의 모델이 이미 있습니다.",
  "Give the new one another name, or remove the other one first.": "다른 이름을 쓰거나 기존 모델을 먼저 제거하세요.",
  "There is no model called {} on this machine.": "이 컴퓨터에 {0} 이름의 모델이 없습니다.",
  "Get the model again.": "모델을 다시 받으세요.",

  // damaged files
  "The model {} is not whole.": "{0} 모델이 온전하지 않습니다.",
  "The file {} is missing.": "{0} 파일이 없습니다.",
  "The file {} is missing, where {} has its weights.": "{1}의 가중치가 든 {0} 파일이 없습니다.",
  "The file {} is cut off: {} of {} bytes are there.": "{0} 파일이 잘렸습니다: {2}바이트 중 {1}바이트만 있습니다.",
  "The model file {} is cut off: {} of at least {} MB are there.":
    "{0} 모델 파일이 잘렸습니다: 최소 {2} MB 중 {1} MB만 있습니다.",
  "The file {} is empty in parts: it was never written completely.":
    "{0} 파일의 일부가 비어 있습니다. 끝까지 기록되지 않았습니다.",
  "The file {} has changed.": "{0} 파일이 바뀌었습니다.",
  "The file {} has changed: it has {} bytes more.": "{0} 파일이 바뀌었습니다: {1}바이트 더 많습니다.",
  "The file {} cannot be read: {}.": "{0} 파일을 읽을 수 없습니다: {1}.",
  "The download of this model has not been finished.": "이 모델의 다운로드가 끝나지 않았습니다.",

  // services
  "{} runs on this computer.": "{0}이(가) 이 컴퓨터에서 실행 중입니다.",
  "Its models can answer too; nothing is sent to it unless you choose one.":
    "그 모델도 답할 수 있습니다. 직접 고르기 전에는 아무것도 보내지 않습니다.",
  "Nothing listens on {}.": "{0}에서 응답하는 프로그램이 없습니다.",
  "The foundry command is not installed.": "foundry 명령이 설치되어 있지 않습니다.",
  "The foundry command is installed, but could not be run.": "foundry 명령이 있지만 실행하지 못했습니다.",
  "The foundry command did not answer within {} s.": "foundry 명령이 {0}초 안에 답하지 않았습니다.",
  "{} did not answer within {} s.": "{0}이(가) {1}초 안에 답하지 않았습니다.",
  "What listens on {} does not answer in HTTP.": "{0}의 프로그램은 HTTP로 답하지 않습니다.",
  "What answers on {} does not speak OpenAI's protocol.": "{0}의 프로그램은 OpenAI 프로토콜을 쓰지 않습니다.",
  "What answers on {} is not {}.": "{0}에서 답하는 것은 {1}이(가) 아닙니다.",
  "To use it all the same, give its address.": "그래도 쓰려면 주소를 직접 지정하세요.",
  "Homeward itself listens on {}.": "{0}에서는 Homeward 자신이 응답합니다.",
  "{} names no running server.": "{0}에 실행 중인 서버가 없습니다.",
  "{} names an address that is not on this machine, so it is not used.":
    "{0}의 주소는 이 컴퓨터의 것이 아니므로 쓰지 않습니다.",
  "There is no model “{}” in {}.": "{1}에 ‘{0}’ 모델이 없습니다.",
  "There is no model in {} yet.": "{0}에 아직 모델이 없습니다.",
  "It has: {}.": "있는 모델: {0}.",
  "Download one there first.": "먼저 그곳에서 모델을 다운로드하세요.",
  "Start it, then search again.": "서비스를 시작한 뒤 다시 찾으세요.",

  // rules that can't be saved
  "This can't be saved yet.": "아직 저장할 수 없습니다.",
  "Correct what is marked.": "표시된 곳을 고치세요.",
  "Something is missing here.": "빠진 것이 있습니다.",
  "This is too long.": "너무 깁니다.",
  "This can't be less than 0.": "0보다 작을 수 없습니다.",
  "This is not possible here.": "여기에 쓸 수 없는 값입니다.",
  "{} use this name where no rule decided.": "영수증에서 규칙이 없을 때 쓰는 이름입니다.",
  "Receipts use the name {} for a rule of the presets.": "{0}은(는) 영수증에서 기본 규칙의 이름으로 쓰입니다.",
  "More than one rule is called {}, and receipts could not tell which one decided.":
    "{0}(이)라는 규칙이 둘 이상이라 영수증에서 어느 것이 결정했는지 알 수 없습니다.",
  "Write it like {}, with two digits each.": "{0}처럼 두 자리씩 쓰세요.",
  "{} is neither a place nor a backend.": "{0}은(는) 장소도 백엔드도 아닙니다.",
  "The pattern {} can't be used: {}.": "{0} 패턴을 쓸 수 없습니다: {1}.",
  "Write it in RE2's syntax, which has no look-ahead and no back-references.":
    "RE2 문법으로 쓰세요. 전방 탐색과 역참조는 쓸 수 없습니다.",
  "The pattern {} matches a text of no characters, so it would be found everywhere.":
    "{0} 패턴은 빈 글에도 맞아 어디에서나 발견됩니다.",
  "Make something in it obligatory.": "반드시 있어야 할 글자를 넣으세요.",
  "The name of a pattern may have small Latin letters, digits, - and _, and 40 of them at most.":
    "패턴 이름에는 영문 소문자, 숫자, -, _를 40자까지 쓸 수 있습니다.",
  "Rename it.": "이름을 바꾸세요.",
  "{} can't be written: {}.": "{0}에 쓸 수 없습니다: {1}.",
  "Look at its rights and at the room on the disk.": "파일 권한과 디스크 여유 공간을 확인하세요.",
  "{} is written in a way that can't be changed here without losing something.":
    "{0} 파일은 내용을 잃지 않고 여기에서 바꿀 수 없는 방식으로 쓰여 있습니다.",
  "Change it with an editor.": "편집기로 바꾸세요.",
  "Another program keeps changing {}.": "다른 프로그램이 {0} 파일을 계속 바꾸고 있습니다.",
  "Close it, then save again.": "그 프로그램을 닫고 다시 저장하세요.",
  "The environment variable {} goes before what would be saved.": "환경 변수 {0}이(가) 저장할 내용보다 우선합니다.",
  "What you agreed to can't be written down: {}.": "동의하신 내용을 기록할 수 없습니다: {0}."
}
