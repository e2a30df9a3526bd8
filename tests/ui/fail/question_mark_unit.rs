use biztrace::traced_handler;

#[traced_handler]
async fn create(id: String) {
    id.parse::<u64>()?;
}

fn main() {}
