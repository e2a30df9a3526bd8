use biztrace::biz_attrs;

#[biz_attrs(#[when(id)] order.id = id)]
fn order(id: u64) -> u64 {
    id
}

fn main() {}
