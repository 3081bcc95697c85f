/** The ONNX models that the server offers beside ours. */

interface Listed {
  readonly file: string;
}

type Ask = (url: string) => Promise<Response>;

/** File names below `folder`; none where the server has no list. Never rejects. */
export async function offeredModels(folder: string, ask: Ask = (url) => fetch(url)): Promise<readonly string[]> {
  try {
    const response = await ask(`${folder}list.json`);
    const listed: unknown = response.ok ? await response.json() : [];
    const files = Array.isArray(listed) ? listed.filter(isListed).map(({ file }) => file) : [];
    return files.filter((file) => file.endsWith('.onnx'));
  } catch {
    return [];
  }
}

function isListed(value: unknown): value is Listed {
  return typeof value === 'object' && value !== null && typeof (value as Partial<Listed>).file === 'string';
}
