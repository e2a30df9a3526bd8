use biztrace::BizAttrs;

struct Money(f64);

#[derive(BizAttrs)]
struct Order {
    #[biz]
    id: u64,
    #[biz]
    price: Money,
    #[biz(display)]
    total: Money,
    #[biz(nested)]
    tax: Money,
}

fn main() {}
