use biztrace::traced;

#[traced(attrs(order.id = id))]
async fn find<Id: Copy>(id: Id) -> Id {
    id
}

fn main() {}
