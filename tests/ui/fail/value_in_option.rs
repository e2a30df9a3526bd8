use std::time::Duration;

use biztrace::{biz_attrs, traced_handler};

#[traced_handler]
#[biz_attrs(
    order.id = id,
    order.delay = delay.as_ref(),
)]
async fn create(id: u64, delay: Option<Duration>) -> bool {
    delay.is_some() && id > 0
}

fn main() {}
