use biztrace::biz_attrs;

struct Money(f64);

#[biz_attrs(#[display] order.total = total)]
fn pay(total: Option<Money>) {
    drop(total.map(|total| total.0));
}

fn main() {}
