use biztrace::traced_handler;

#[traced_handler]
async fn create(name: String) -> usize {
    drop(name);
    name.len()
}

fn main() {}
