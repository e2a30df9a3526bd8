#![deny(warnings)]

use biztrace::traced_handler;

#[traced_handler]
async fn create(id: u64) -> u64 {
    return id;
    id + 1
}

fn main() {
    drop(create(7));
}
