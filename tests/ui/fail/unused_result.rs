#![deny(warnings)]

use biztrace::traced;

fn store(id: u64) -> Result<u64, String> {
    Ok(id)
}

#[traced]
fn create(id: u64) {
    store(id);
}

fn main() {
    create(7);
}
