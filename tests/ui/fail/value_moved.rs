use biztrace::{biz_attrs, traced_handler};

#[traced_handler]
#[biz_attrs(order.no = no.into_bytes().len())]
async fn create(no: String) -> String {
    no
}

fn main() {}
