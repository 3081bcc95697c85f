/* What stands in place of an answer while this page itself gets ready to write it: the question before a download, and
   how far it is. Props: `id`, `do` (`load`, then `write` with `messages`, `max_tokens`, `temperature`). The work is done
   by the bridge (web/src/bridge), which says what comes of it to homeward.chat.tab through the action `tab`. */
import { Button } from "@/components/ui/button"
import { Download, Globe } from "lucide-react"
import { useEffect, useRef, useState } from "react"

const WORDS = {
  en: {
    title: (name) => `Load ${name} into this browser?`,
    lead: (size, licence) => `${size} from this Homeward and from nowhere else; licence ${licence}. ` +
      "Your browser keeps it until you delete it. It is a small model, often wrong about facts.",
    also: "The text of this chat passes through Homeward on its machine, and goes no further. It doesn’t leave the tab at all in the",
    load: "Load", no: "Not now", cancel: "Cancel", page: "private chat",
    phase: { looking: "Looking what this browser can do …", loading: "Loading the model …", opening: "Opening the model …",
      answering: "Reading …" },
    progress: (done, all, speed) => `${done} of ${all} MB, ${speed} MB/s`
  },
  ko: {
    title: (name) => `${name} 모델을 이 브라우저에 불러올까요?`,
    lead: (size, licence) => `이 Homeward에서만 ${size}를 받습니다. 라이선스 ${licence}. ` +
      "지울 때까지 브라우저가 보관합니다. 작은 모델이라 사실을 자주 틀립니다.",
    also: "이 대화의 글은 Homeward가 실행되는 기기를 거치고 더 멀리 가지 않습니다. 글이 탭을 전혀 떠나지 않는 곳:",
    load: "불러오기", no: "나중에", cancel: "취소", page: "비공개 채팅",
    phase: { looking: "이 브라우저가 할 수 있는 것을 확인하는 중 …", loading: "모델을 받는 중 …", opening: "모델을 여는 중 …",
      answering: "읽는 중 …" },
    progress: (done, all, speed) => `${all} MB 중 ${done} MB, ${speed} MB/초`
  }
}

function megabytes(bytes) {
  return new Intl.NumberFormat(navigator.language, { maximumFractionDigits: bytes < 1e7 ? 1 : 0 }).format(bytes / 1e6)
}

export default function Tab() {
  const words = navigator.language.startsWith("ko") ? WORDS.ko : WORDS.en
  const { id, do: wanted } = props
  const [phase, setPhase] = useState({ kind: "looking" })
  const job = useRef(null)
  useEffect(() => {
    let here = true
    const say = async (said) => (await callAction({ name: "tab", payload: { id, said } }))?.response === true
    window.homewardBridge().then(
      ({ jobOf }) => {
        if (!here) return
        job.current = jobOf(id, say)
        job.current.watch(setPhase)
        job.current.carryOut(props)
      },
      (error) => say({ about: "failed", cause: "missing", detail: String(error) })
    )
    return () => {
      here = false
      job.current?.leave()
    }
  }, [id, wanted])
  if (phase.kind === "asking") {
    return (
      <section className="homeward-question" aria-labelledby={`tab-${id}`}>
        <h3 id={`tab-${id}`}><Globe aria-hidden="true" /> {words.title(phase.name)}</h3>
        <p>{words.lead(`${megabytes(phase.bytes)} MB`, phase.licence)}</p>
        <div className="homeward-question-buttons">
          <Button size="sm" className="homeward-load" onClick={() => job.current.agree()}>
            <Download aria-hidden="true" /> {words.load}
          </Button>
          <Button size="sm" variant="outline" onClick={() => job.current.decline()}>{words.no}</Button>
        </div>
        <p className="homeward-question-foot">{words.also} <a href="/browser/chat/">{words.page}</a></p>
      </section>
    )
  }
  if (phase.kind === "ended" || (phase.kind === "answering" && wanted !== "write")) return null
  const { progress } = phase
  return (
    <div className="homeward-tab" role="status">
      <span>{words.phase[phase.kind]}</span>
      {progress ? (
        <>
          <progress max={progress.total} value={progress.loaded} aria-label={words.phase.loading} />
          <span>{words.progress(megabytes(progress.loaded), megabytes(progress.total), megabytes(progress.bytesPerSecond))}</span>
          <Button size="sm" variant="ghost" onClick={() => job.current.decline()}>{words.cancel}</Button>
        </>
      ) : null}
    </div>
  )
}
