use biztrace::traced_handler;

#[derive(Debug)]
struct ShopError;

#[traced_handler]
async fn create(id: String) -> Result<u64, ShopError> {
    let id = id.parse::<u64>()?;
    Ok(id)
}

fn main() {}
