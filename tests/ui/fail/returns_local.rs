use biztrace::traced;

#[traced]
fn name(id: u64) -> &'static str {
    let name = id.to_string();
    name.as_str()
}

fn main() {}
