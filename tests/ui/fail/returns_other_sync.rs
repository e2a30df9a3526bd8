use biztrace::traced;

#[traced]
fn price(net: u64) -> Result<f64, String> {
    net * 2
}

fn main() {}
