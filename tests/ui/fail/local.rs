#![deny(warnings)]

use biztrace::{biz_attrs, traced_handler};

#[traced_handler]
#[biz_attrs(order.total = total, order.text = format!("{total}"))]
async fn create(price: u64) -> u64 {
    let total = price * 2;
    total
}

fn main() {}
