use biztrace::{traced, traced_handler};

#[traced(name = "reserve", skip(store), fields(order.id = %id), level = "debug", ret)]
fn reserve(store: &str, id: u64) -> u64 {
    id
}

#[traced(attrs(order.id = %id, order.kind = ?kind))]
fn load(id: u64, kind: Option<u8>) {}

#[traced_handler(skip_all)]
async fn create() {}

fn main() {}
