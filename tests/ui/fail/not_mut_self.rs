use biztrace::traced;

struct Cart(Vec<u64>);

impl Cart {
    #[traced]
    fn add(&self, item: u64) {
        self.0.push(item);
    }
}

fn main() {}
