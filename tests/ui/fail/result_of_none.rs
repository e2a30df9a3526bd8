use biztrace::{biz_attrs, traced};

#[traced]
#[biz_attrs(#[ok(total)] order.total = total)]
fn total() -> f64 {
    9.5
}

fn main() {}
