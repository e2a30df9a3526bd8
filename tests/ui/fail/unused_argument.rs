#![deny(warnings)]

use biztrace::{biz_attrs, traced_handler};

#[traced_handler]
#[biz_attrs(order.id = id)]
async fn create(id: u64, name: String) -> u64 {
    7
}

fn main() {
    drop(create(7, String::new()));
}
