use biztrace::traced;

struct Failure;

#[traced(err)]
fn total() -> Result<f64, Failure> {
    Ok(9.5)
}

fn main() {}
