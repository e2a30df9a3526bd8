use biztrace::tag;
use secrecy::SecretString;

fn main() {
    let password = SecretString::from("x");
    tag!(user.password = password);
}
