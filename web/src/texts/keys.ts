/** What texts are looked up by. */

import type { FileProblem } from '../inference/onnxFile';

export type { BrowserName, System } from '../inference/browser';
export type { Reason, Step } from '../inference/ladder';
export type { LanguageProblem, Why } from '../language/types';

export type ProblemKey = FileProblem | 'not-a-picture' | 'refused' | 'unreachable' | 'missing' | 'run-failed';
