use biztrace::{BizAttrs, BizValue, biz_attrs};

#[derive(BizAttrs)]
#[biz(prefx = "order")]
struct Order<'a, T> {
    #[biz]
    id: &'a T,
    #[biz]
    state: State,
}

#[derive(BizValue)]
enum State {
    New,
    Paid(u64),
}

#[biz_attrs(..order, order.first = State::New, order.last = State::Paid(*order.id))]
fn pay(order: Order<'_, u64>) -> u64 {
    *order.id
}

fn main() {}
