//! placeholder
#[test]
fn tidy() {}
