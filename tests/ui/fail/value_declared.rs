use biztrace::{BizAttrs, biz_attrs};

#[derive(BizAttrs)]
struct Order {
    #[biz]
    sku: String,
}

#[biz_attrs(order = order)]
fn pay(order: Order) {
    drop(order);
}

fn main() {}
