# Rust: the compiler itself, and its program: panics that are caught, in threads, and stacks that overflow.
# program-test: slow root=languages modes=overlay timeout=1800
cat >faults.rs <<'RUST'
use std::collections::HashMap;
use std::panic;
use std::sync::{Arc, Mutex};
use std::thread;
#[inline(never)]
fn deep(n: u64) -> u64 { let a = [n; 64]; if n == 0 { 0 } else { std::hint::black_box(&a)[(n % 64) as usize] + deep(n + 1) } }
fn main() {
    if std::env::args().nth(1).as_deref() == Some("deep") { println!("{}", deep(1)); }
    if std::env::args().nth(1).as_deref() == Some("deepthread") { thread::Builder::new().name("small".into()).stack_size(64 << 10).spawn(|| deep(1)).unwrap().join().unwrap(); }
    panic::set_hook(Box::new(|_| {}));
    let mut caught = 0;
    for i in 0..2000u32 {
        let v = vec![1, 2, 3];
        let r = panic::catch_unwind(move || { let k = (i % 5) as usize; v[k] + i.checked_div(i % 3).expect("zero") });
        caught += r.is_err() as u32;
    }
    println!("{caught}");
    let m = Arc::new(Mutex::new(HashMap::new()));
    let ts: Vec<_> = (0..8).map(|t| { let m = m.clone(); thread::spawn(move || { for i in 0..5000 { *m.lock().unwrap().entry(i % 100).or_insert(0) += t; } if t == 7 { panic!("last") } t }) }).collect();
    let r: Vec<_> = ts.into_iter().map(|t| t.join().map_err(|e| e.downcast_ref::<&str>().unwrap().to_string())).collect();
    println!("{:?} {}", r, m.lock().unwrap().values().sum::<i32>());
}
RUST
rustc -O faults.rs && ./faults
for how in deep deepthread; do ./faults $how 2>err; echo "$how $?"; cat err; done
