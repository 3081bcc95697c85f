/** Put in by the build: the size of ONNX Runtime's WebAssembly. */
declare const __ENGINE_BYTES__: number;
/** And that of wllama's. */
declare const __LANGUAGE_ENGINE_BYTES__: number;
