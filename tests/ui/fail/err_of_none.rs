use biztrace::traced;

#[traced(err)]
fn total() -> Option<f64> {
    Some(9.5)
}

fn main() {}
