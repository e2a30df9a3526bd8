use biztrace::{biz_attrs, traced_handler};

struct Money(u64);

#[traced_handler]
#[biz_attrs(order.id = 7, order.price = price)]
async fn create(price: Money) -> u64 {
    price.0
}

fn main() {}
