use biztrace::{biz_attrs, traced_handler};

#[traced_handler]
#[biz_attrs(order.id = oder_id)]
async fn create(order_id: u64) -> u64 {
    order_id
}

fn main() {}
