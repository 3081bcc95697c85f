import { policy } from "./english-policy.js"

export const english = {
  language: "en",
  back: "Back to the chat",
  title: "Models",
  lead: "Which models are on this computer, and which of them answers. What you write stays here, whichever you choose.",
  use: "Use",
  again: "Try again",
  cancel: "Cancel",
  dismiss: "Close",
  no: "Cancel",
  unknown: "not stated",
  about: (size) => `about ${size}`,
  of: (part, whole) => `${part} of ${whole}`,
  tokens: (count) => `${count} tokens`,
  devices: { cpu: "Processor", gpu: "Graphics processor", npu: "Neural processor" },
  tools: { true: "yes", false: "no" },
  fits: { true: "Fits now", false: "Does not fit now" },
  timeLeft: {
    soon: "less than a minute left",
    minutes: (count) => `about ${count} min left`,
    hours: (hours, minutes) => `about ${hours} h ${minutes} min left`
  },
  facts: {
    engine: "Runs on", size: "Size", context: "Context", license: "Licence", device: "Computes on", tools: "Calls tools",
    memory: "Memory needed"
  },
  problems: {
    unreachable: "Homeward does not answer. Try again in a moment.",
    silent: "Homeward does not answer; trying again…",
    recovered: "Homeward answers again.",
    internal: "Something went wrong inside Homeward; the log says more."
  },
  now: {
    title: "What answers now",
    nothing: "No model answers yet",
    nothingHint: "Choose one below, or add one.",
    loading: "Loading",
    states: {
      ready: "Ready", loading: "Being loaded…", stopped: "Loads at your next question", failed: "Can't answer",
      absent: "Not there", service: "Answers through another program on this computer"
    },
    memory: (held) => `${held} of memory`,
    memoryOf: (held, expected) => `${held} of about ${expected}`,
    ready: (name) => `${name} is ready. Let it answer from now on?`,
    useIt: "Use it",
    later: "Not now",
    missing: (name) => `${name} should answer, but is not on this machine.`,
    missingService: "The service at the address that you gave should answer, but was not found.",
    find: "Look for it in the catalogue"
  },
  downloads: {
    title: "Downloads",
    repaired: "What arrived was not whole; it is fetched once more.",
    goOn: "Go on",
    kept: (arrived) => `${arrived} have arrived and are kept.`,
    states: {
      downloading: "Downloading…", checking: "Checking the files…", cancelled: "Cancelled.", failed: "Stopped.",
      done: (name) => `On this machine, as ${name}. Its files are whole.`
    }
  },
  here: {
    title: "On this machine",
    nothing: "There is no model yet. Add one from a file, or look at the catalogue.",
    answers: "Answers now",
    states: { idle: "Not in memory", loading: "Being loaded…", ready: "In memory", failed: "Could not be loaded" },
    holds: (size) => `It holds ${size} of memory now.`,
    check: "Check files",
    repair: "Repair",
    remove: "Remove",
    checks: {
      never: "The files have not been checked yet.", checking: "Checking the files…", whole: "The files are whole.",
      damaged: "The files are damaged:"
    },
    sources: {
      starter: "came with Homeward", own: "your own file or folder", catalogue: "Foundry Local's catalogue"
    },
    more: { title: "Where it is", facts: { name: "Name", source: "From", path: "Path" } },
    removing: {
      title: (name) => `Remove ${name}?`,
      list: "It is only taken off this list. Its files stay where they are.",
      files: (size) => `${size} are deleted from this disk. To have it back, you would download it again.`,
      inUse: "It is what answers now; another model will take over.",
      yesList: "Take off the list",
      yesFiles: "Delete the files"
    },
    repairing: {
      title: (name) => `Fetch ${name} once more?`,
      what: (size) => `Its damaged files are deleted, and ${size} are downloaded again.`,
      yes: "Repair"
    },
    adding: {
      title: "Add a model from a file or folder",
      hint: "A .gguf file, or an ONNX folder that has a genai_config.json. It stays where it is.",
      example: "/path/to/model.gguf",
      add: "Add",
      empty: "Name a file or folder."
    }
  },
  catalogue: {
    title: "Catalogue",
    hint: "More models are in Microsoft's Foundry Local catalogue. Looking at it asks Microsoft's servers over the network; nothing is downloaded yet.",
    sent: "Microsoft sees your IP address and what kind of computer this is, never a word of a chat.",
    short: "This asks Microsoft's catalogue over the network; nothing is downloaded yet.",
    look: "Look at the catalogue",
    looking: "Asking the catalogue…",
    lookAgain: "Ask again",
    filter: "Filter",
    onlyFitting: "Only what fits into memory now",
    count: (shown, all) => `${shown} of ${all} shown`,
    columns: {
      name: "Model", license: "Licence", size: "Download", context: "Context", device: "Computes on", tools: "Calls tools",
      memory: "Memory needed", action: "What to do"
    },
    download: "Download",
    progress: { moving: "Downloading…", here: "On this machine" },
    downloading: {
      title: (name) => `Download ${name}?`,
      disk: "Free on this disk",
      noRoom: "The disk has too little room for it.",
      tooLarge: "It does not fit into memory now: it may not run on this machine.",
      what: "It comes from Microsoft's servers, is checked, and then stands under “On this machine”. You can cancel at any time."
    }
  },
  services: {
    title: "Services on this machine",
    hint: "Ollama, LM Studio, Foundry Local and others that run already can answer, too. Only this computer is asked, and nothing is started.",
    search: "Search this computer",
    searching: "Searching…",
    again: "Search again",
    nothing: "No other service answers on this computer.",
    why: "Why others were not found",
    noModels: "It has no models yet.",
    loaded: { true: "in memory", false: "not in memory", null: "" }
  },
  machine: {
    title: "This machine",
    facts: { memory: "Memory", free: "Free now", disk: "Free on disk", cores: "Processor cores" },
    available: { true: "Available", false: "Not available" },
    devices: "What it can compute on",
    onlyProcessor: "Only the processor; no graphics or neural processor that Foundry Local knows.",
    registered: { true: "in use", false: "its library is not on this machine" },
    look: "Look for graphics and neural processors",
    lookAgain: "Look again",
    hint: "Foundry Local is started for a moment to look at this computer. Nothing is downloaded."
  },
  announced: {
    ready: (name) => `${name} is ready.`,
    loading: (name) => `${name} is being loaded.`,
    failed: (name) => `${name} can't answer.`,
    service: (name) => `${name} answers from now on.`,
    stopped: (name) => `${name} loads at your next question.`,
    absent: (name) => `${name} is not there.`,
    downloads: {
      downloading: (title) => `${title} is being downloaded.`,
      checking: (title) => `The files of ${title} are being checked.`,
      done: (title) => `${title} is on this machine.`,
      cancelled: (title) => `The download of ${title} was cancelled.`,
      failed: (title) => `The download of ${title} stopped.`
    },
    added: (title) => `${title} was added.`,
    removed: (title) => `${title} was removed.`,
    checks: {
      whole: (title) => `The files of ${title} are whole.`,
      damaged: (title) => `The files of ${title} are damaged.`,
      never: (title) => `The check of ${title} was not finished.`
    },
    searched: (count) => (count === 1 ? "One service was found." : `${count} services were found.`)
  },
  policy
}
