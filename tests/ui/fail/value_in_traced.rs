use biztrace::traced;

#[derive(Debug)]
struct Sku(u32);

#[traced(kind = "client", attrs(stock.sku = sku))]
fn reserve(sku: &Sku) -> u32 {
    sku.0
}

fn main() {}
