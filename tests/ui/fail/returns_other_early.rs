use biztrace::traced_handler;

#[traced_handler]
async fn create(id: u64) -> String {
    if id == 0 {
        return 404;
    }
    id.to_string()
}

fn main() {}
