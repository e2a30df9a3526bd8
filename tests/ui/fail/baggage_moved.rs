use biztrace::{biz_attrs, traced_handler};

#[traced_handler]
#[biz_attrs(#[baggage] order.no = no.into_bytes().len())]
async fn create(no: String) -> String {
    no
}

struct Opaque;

#[traced_handler]
#[biz_attrs(#[baggage] order.no = no)]
async fn show(no: Opaque) {}

fn main() {}
