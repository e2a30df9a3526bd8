use biztrace::traced;

#[traced]
fn create(id: u64) {
    id.to_string()
}

fn main() {}
