use biztrace::{biz_attrs, traced, traced_handler};

#[traced(name = "reserve", skip(store), fields(order.id = %id), level = "debug", ret)]
fn reserve(store: &str, id: u64) -> u64 {
    id
}

#[traced(attrs(order.id = %id, order.kind = ?kind))]
fn load(id: u64, kind: Option<u8>) {}

#[traced(name = "ask", kind = "client", fields(otel.kind = "client"))]
#[biz_attrs(order.id = #[hash] id)]
fn ask(id: u64) {}

#[traced(attrs(otel.name = "tell"), err(Debug))]
fn tell() -> Result<(), std::fmt::Error> {
    Ok(())
}

#[traced_handler(skip_all)]
async fn create() {}

fn main() {}
