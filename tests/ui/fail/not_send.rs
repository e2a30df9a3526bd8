use std::rc::Rc;

use biztrace::traced;

#[traced]
async fn load(id: u64) -> u64 {
    let id = Rc::new(id);
    std::future::ready(()).await;
    *id
}

fn spawn(_: impl Future + Send) {}

fn main() {
    spawn(load(7));
}
