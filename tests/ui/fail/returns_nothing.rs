use biztrace::traced_handler;

#[traced_handler]
async fn create(id: u64) -> String {
    id.to_string();
}

fn main() {}
