# Node: V8's compilers and what they throw away, regular expressions, WebAssembly whose bounds are checked by faults, workers.
# program-test: slow root=languages modes=overlay timeout=900
cat >faults.js <<'JS'
'use strict';
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
const say = console.log;
function mix(n) { let x = 12345; for (let i = 0; i < n; i++) { x ^= x << 13; x ^= x >>> 17; x ^= x << 5; } return x; }
function deopt(o, n) { let s = 0; for (let i = 0; i < n; i++) s += o.v; return s; }
function add(a, b) { return a + b; }
class P { constructor(x, y) { this.x = x; this.y = y; } plus(o) { return new P(this.x + o.x, this.y + o.y); } }
function deep(n) { return n === 0 ? 0 : 1 + deep(n - 1); }
if (!isMainThread) {
  if (workerData.shared) {
    const a = new Int32Array(workerData.shared);
    for (let i = 0; i < 200000; i++) Atomics.add(a, 0, 1);
  }
  parentPort.postMessage(mix(workerData.n));
} else {
  say('mix', mix(50000000));
  let d = [];
  for (let round = 0; round < 20; round++) {
    d.push(deopt({ v: 1 }, 20000), deopt({ u: 0, v: 1.5 }, 20000), deopt({ v: 'a' }, 3), deopt({ w: 1, get v() { return round; } }, 2000));
    for (let i = 0; i < 5000; i++) add(i, i);
    d.push(add('a', round), add(1.5, round), add(10n, 20n), add(2 ** 31, 2 ** 31));
  }
  say('deopt', d.map(String).join().length);
  let p = new P(0, 0);
  for (let i = 0; i < 3000000; i++) p = p.plus(new P(i, 0.5));
  say('objects', [p.x, p.y]);
  let text = '';
  for (let i = 0; i < 20000; i++) text += `user${i}@host${i % 77}.example.org; `;
  say('regex', [text.match(/(\w+)@(\w+)\.example\.(org|com)/g).length, text.replace(/u(s)er(\d+)/g, (m, a, b) => a + b * 2).length,
    /^(a+)+$/.test('aaaaaaaaaaaaaaaaaaaaaab'), [...text.matchAll(/(?<=host)(\d+)(?=\.)/g)].length]);
  let over = 0;
  for (let i = 0; i < 5; i++) try { deep(1e7); } catch (e) { over += e instanceof RangeError; }
  say('stack', over);
  const m = new Map();
  for (let i = 0; i < 300000; i++) m.set('k' + i % 5000, { i, a: new Array(i % 10).fill(i) });
  say('garbage', [...m.values()].reduce((s, v) => s + v.a.length, 0));
  say('json', JSON.stringify(JSON.parse(JSON.stringify([...Array(50000).keys()].map(i => ({ i, s: 'x' + i, f: i / 3 }))))).length);
  say('generated', (() => { let s = 0; for (let i = 0; i < 500; i++) { const f = new Function('x', `let t=0; for (let i=0;i<300;i++) t+=x*${i}; return t;`); s += f(i); } return s; })());
  // fib; a load, which may be out of bounds; a division
  const w = new WebAssembly.Instance(new WebAssembly.Module(wasm())).exports;
  let traps = 0;
  for (let i = 0; i < 2000; i++) { try { w.load(i % 2 ? 65536 + i * 16 : i); } catch (e) { traps += e instanceof WebAssembly.RuntimeError; } try { w.div(1, i % 3); } catch (e) { traps++; } }
  say('wasm', [w.fib(27), traps]);
  const shared = new SharedArrayBuffer(16);
  let left = 4, sum = 0;
  for (let i = 0; i < 4; i++) {
    const worker = new Worker(__filename, { workerData: { n: 3000000 + i, shared } });
    worker.on('message', v => { sum += v; if (--left === 0) { say('workers', [sum, new Int32Array(shared)[0]]); } });
  }
}
function wasm() {
  const sec = (id, body) => [id, body.length, ...body];
  const str = s => [s.length, ...Buffer.from(s)];
  const body = code => [code.length + 1, 0, ...code];
  const fib = [32, 0, 65, 2, 72, 4, 127, 32, 0, 5, 32, 0, 65, 1, 107, 16, 0, 32, 0, 65, 2, 107, 16, 0, 106, 11, 11];
  return new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, ...sec(1, [2, 96, 1, 127, 1, 127, 96, 2, 127, 127, 1, 127]), ...sec(3, [3, 0, 0, 1]),
    ...sec(5, [1, 0, 1]), ...sec(7, [3, ...str('fib'), 0, 0, ...str('load'), 0, 1, ...str('div'), 0, 2]),
    ...sec(10, [3, ...body(fib), ...body([32, 0, 40, 2, 0, 11]), ...body([32, 0, 32, 1, 109, 11])])]);
}
JS
node faults.js
