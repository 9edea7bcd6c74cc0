//! The guide is whole: its table of contents and its chapters are the same, and what they name is there. (Its Rust
//! examples are doctests of the crate.)

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn the_table_of_contents_names_every_chapter() {
    let src = root().join("docs/guide/src");
    let summary = fs::read_to_string(src.join("SUMMARY.md")).unwrap();
    let named: BTreeSet<String> =
        summary.split("](").skip(1).map(|rest| rest.split(')').next().unwrap().to_string()).collect();
    let chapters: BTreeSet<String> = fs::read_dir(&src)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "SUMMARY.md")
        .collect();
    assert_eq!(named, chapters);
    for chapter in chapters {
        let text = fs::read_to_string(src.join(&chapter)).unwrap();
        assert!(text.starts_with("# "), "{chapter} begins with its title");
        assert_eq!(text.matches("```").count() % 2, 0, "{chapter}: each fence is closed");
    }
    assert!(root().join("docs/guide/book.toml").exists());
}

#[test]
fn examples_that_the_guide_names_are_there() {
    for entry in fs::read_dir(root().join("docs/guide/src")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        for rest in text.split("--example ").skip(1) {
            let name: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            assert!(root().join(format!("crates/sockeye/examples/{name}.rs")).exists(), "{name}");
        }
    }
}
