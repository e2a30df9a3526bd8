use biztrace::{BizAttrs, biz_attrs};

#[derive(BizAttrs)]
struct Item {
    #[biz]
    sku: String,
}

#[biz_attrs(..items)]
fn pay(items: Vec<Item>) {
    drop(items);
}

fn main() {}
