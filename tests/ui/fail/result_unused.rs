#![deny(unused_variables)]

use biztrace::biz_attrs;

#[biz_attrs(#[ok(total)] order.paid = true)]
fn total() -> Option<f64> {
    Some(9.5)
}

fn main() {}
