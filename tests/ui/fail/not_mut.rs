use biztrace::traced_handler;

#[traced_handler]
async fn create(items: Vec<u64>) -> Vec<u64> {
    items.push(1);
    items
}

fn main() {}
