use biztrace::biz_attrs;

struct Money(f64);

#[biz_attrs(#[ok(total)] order.total = total)]
fn total() -> Option<Money> {
    Some(Money(9.5))
}

fn main() {
    total().map(|money| money.0);
}
