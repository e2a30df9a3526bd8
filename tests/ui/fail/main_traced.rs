use biztrace::traced;

mod jobs {
    // A function like any other.
    #[biztrace::traced]
    fn main() {}

    pub fn run() {
        main()
    }
}

#[traced]
fn main() {
    jobs::run();
}
