use biztrace::biz_attrs;

struct Order;

#[biz_attrs(..order)]
fn pay(order: Order) {
    drop(order);
}

fn main() {}
