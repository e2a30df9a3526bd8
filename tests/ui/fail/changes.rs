//! A value that changes what it names: it is evaluated only where it is recorded, so it may not.

use biztrace::{tag, traced};

#[traced(attrs(batch.attempt = { *attempt += 1; *attempt }))]
fn send(attempt: &mut u32) -> u32 {
    *attempt
}

fn main() {
    send(&mut 1);
    let mut items = vec![1];
    tag!(order.last = items.pop());
}
