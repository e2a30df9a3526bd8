#![deny(warnings)]

use biztrace::traced_handler;

#[traced_handler]
async fn create(mut name: String) -> String {
    name
}

fn main() {
    drop(create(String::new()));
}
