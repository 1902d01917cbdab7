//! The inner loops.
fn main() {
    divan::main();
}
