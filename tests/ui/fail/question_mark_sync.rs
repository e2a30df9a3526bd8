use biztrace::traced;

#[derive(Debug)]
struct ShopError;

#[traced]
fn create(id: &str) -> Result<u64, ShopError> {
    let id = id.parse::<u64>()?;
    Ok(id)
}

fn main() {}
