/** Put in by the build: the size of ONNX Runtime's WebAssembly. */
declare const __ENGINE_BYTES__: number;
