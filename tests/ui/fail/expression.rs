use biztrace::traced;

fn main() {
    let double = #[traced]
    |n: u8| n * 2;
    #[traced]
    let triple = |n: u8| n * 3;
    triple(double(1));
}
