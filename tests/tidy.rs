//! The house rules that a machine can hold: sizes of files and functions, what a file may be called, where unsafe
//! code may stand, and the dependency direction.
//!
//! The limits are a ratchet: a file or function past its line fails here, and splitting it along a concept is the
//! remedy. Tests behind `#[cfg(test)]` and `tests.rs` files do not count as the module's lines.

use std::fs;
use std::path::{Path, PathBuf};

/// Lines of a source file without its tests.
const FILE_MAX: usize = 500;
/// Lines of a function.
const FUNCTION_MAX: usize = 70;
/// Lines of an inline test module.
const INLINE_TESTS_MAX: usize = 150;
/// Names that say nothing.
const EMPTY_NAMES: [&str; 5] = ["util", "utils", "helpers", "common", "misc"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository")
}

fn files(dir: &Path, endings: &[&str], found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                files(&path, endings, found);
            }
        } else if endings.iter().any(|e| name.ends_with(e)) {
            found.push(path);
        }
    }
}

fn sources(endings: &[&str]) -> Vec<(PathBuf, String)> {
    let mut found = vec![];
    files(&root(), endings, &mut found);
    found.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a text file");
        (path.strip_prefix(root()).expect("below the root").to_path_buf(), text)
    };
    found.into_iter().map(read).collect()
}

/// A file's lines up to its inline tests, and the lines of those.
fn split_tests(text: &str) -> (usize, usize) {
    let total = text.lines().count();
    let code = text.lines().position(|l| l.starts_with("#[cfg(test)]")).unwrap_or(total);
    (code, total - code)
}

fn is_test(path: &Path) -> bool {
    path.components().any(|c| c.as_os_str() == "tests") || path.ends_with("tests.rs")
}

/// Functions as (name, first line, lines): from `fn` to the brace that closes at the same depth.
fn functions(text: &str) -> Vec<(String, usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = vec![];
    for (start, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let indent = line.len() - code.len();
        let Some(at) = code.find("fn ") else { continue };
        let is_head = code[..at].split_whitespace().all(|word| {
            word.starts_with("pub") || ["async", "const", "unsafe", "extern", "\"C\""].contains(&word)
        });
        if !is_head {
            continue;
        }
        let closing = format!("{}}}", " ".repeat(indent));
        let end = lines[start..].iter().position(|l| {
            *l == closing || (l.trim_end().ends_with('}') && l.len() - l.trim_start().len() == indent)
        });
        if let Some(end) = end {
            let name = code[at + 3..].split(['(', '<']).next().unwrap_or_default();
            found.push((name.to_string(), start + 1, end + 1));
        }
    }
    found
}

#[test]
fn files_and_functions_stay_small() {
    let mut wrong = vec![];
    for (path, text) in sources(&[".rs"]) {
        let (code, tests) = split_tests(&text);
        if code > FILE_MAX {
            wrong.push(format!("{}: {code} lines, at most {FILE_MAX}", path.display()));
        }
        if tests > INLINE_TESTS_MAX && !is_test(&path) {
            wrong.push(format!(
                "{}: {tests} lines of inline tests, at most {INLINE_TESTS_MAX}",
                path.display()
            ));
        }
        for (name, line, lines) in functions(&text) {
            if lines > FUNCTION_MAX {
                wrong.push(format!(
                    "{}:{line}: fn {name} has {lines} lines, at most {FUNCTION_MAX}",
                    path.display()
                ));
            }
        }
    }
    for (path, text) in sources(&[".sh", ".py", ".c"]) {
        if text.lines().count() > FILE_MAX {
            wrong.push(format!("{}: {} lines, at most {FILE_MAX}", path.display(), text.lines().count()));
        }
    }
    assert!(wrong.is_empty(), "grown past the line:\n{}", wrong.join("\n"));
}

#[test]
fn names_say_something() {
    for (path, _) in sources(&[".rs", ".sh", ".py", ".c"]) {
        let stem = path.file_stem().and_then(|s| s.to_str()).unwrap_or_default();
        assert!(!EMPTY_NAMES.contains(&stem), "{} says nothing by its name", path.display());
    }
}

#[test]
fn every_module_opens_with_its_theory() {
    for (path, text) in sources(&[".rs"]) {
        let first = text.lines().next().unwrap_or_default();
        assert!(first.starts_with("//!"), "{} opens without its theory of operation", path.display());
    }
}

#[test]
fn unsafe_code_stands_where_it_may() {
    for (path, text) in sources(&[".rs"]) {
        let inside = path.starts_with("crates/sockeye-serve/src/sys")
            || path.starts_with("crates/sockeye-ffi")
            // A counting allocator cannot do without; the crate is not published.
            || path == Path::new("crates/sockeye-bench/src/allocator.rs");
        let block = ["unsafe", " {"].concat();
        assert!(inside || !text.contains(&block), "{} has unsafe code", path.display());
    }
}

#[test]
fn dependencies_point_one_way() {
    let order = ["sockeye-core", "sockeye-lab", "sockeye", "sockeye-serve", "sockeye-cli"];
    for (level, name) in order.iter().enumerate() {
        let manifest =
            fs::read_to_string(root().join("crates").join(name).join("Cargo.toml")).expect("a manifest");
        for above in &order[level + 1..] {
            let depends = manifest
                .lines()
                .any(|l| l.split(['.', ' ', '=']).next() == Some(above) && !l.starts_with("name"));
            assert!(!depends, "{name} depends on {above}, which stands above it");
        }
    }
}
