use biztrace::traced;

#[traced(attrs(order.last = orders.pop()))]
fn count(orders: Vec<u64>) -> usize {
    orders.len()
}

fn main() {}
