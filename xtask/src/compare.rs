//! `cargo xtask bench --compare rocksdb,fjall,...`: slice and other stores, by the program of `benches/peers`.
//!
//! Only this builds the others. They are in no default build and in no step of `cargo xtask ci`.

use std::path::Path;
use std::process::Command;

use anyhow::bail;

use crate::{cargo, succeed};

/// What slice is compared with if nothing is named.
const ALL: &str = "rocksdb,rocksdb-defaults,fjall,surrealkv";

const MANIFEST: &str = "benches/peers/Cargo.toml";

/// Where Debian, and others, have the library that reads RocksDB's headers.
const LIBRARY_FOLDERS: [&str; 5] =
    ["/usr/lib/llvm-*/lib", "/usr/lib", "/usr/lib64", "/usr/lib/x86_64-linux-gnu", "/usr/local/lib"];

/// The stores to compare with and the other arguments, if that is what is asked for.
pub(crate) fn asked_for(args: &[String]) -> Option<(String, Vec<String>)> {
    let at = args.iter().position(|arg| arg == "--compare" || arg.starts_with("--compare="))?;
    let mut rest = args.to_vec();
    let flag = rest.remove(at);
    let stores = match flag.split_once('=') {
        Some((_, stores)) => stores.to_owned(),
        None if rest.get(at).is_some_and(|next| !next.starts_with("--")) => rest.remove(at),
        None => ALL.to_owned(),
    };
    Some((stores, rest))
}

/// Builds slice and the others for this processor and compares them.
pub(crate) fn run(stores: &str, args: &[String]) -> anyhow::Result<()> {
    ensure_tools()?;
    eprintln!("the first build of the other stores takes about 15 minutes on two cores, most of it RocksDB");
    let mut command = cargo(["run", "--release", "--manifest-path", MANIFEST, "--"]);
    command.args(["compare", "--engines", &format!("slice,{stores}")]).args(args);
    // All are built alike: whoever wants other flags gives them to all.
    if std::env::var_os("RUSTFLAGS").is_none() {
        command.env("RUSTFLAGS", "-C target-cpu=native");
    }
    succeed(command)
}

/// RocksDB is C++, and its bindings are made from its headers by libclang.
fn ensure_tools() -> anyhow::Result<()> {
    let mut missing = Vec::new();
    for tool in ["c++", "clang"] {
        if !Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success()) {
            missing.push(tool);
        }
    }
    if std::env::var_os("LIBCLANG_PATH").is_none() && !LIBRARY_FOLDERS.iter().any(|dir| has_libclang(dir)) {
        missing.push("libclang.so");
    }
    if missing.is_empty() {
        return Ok(());
    }
    let missing = missing.join(", ");
    bail!(
        "RocksDB cannot be built without {missing}; on Debian: apt-get install g++ clang libclang-dev cmake"
    )
}

/// Whether a folder has the library. Of a `*` in its path, any folder will do.
fn has_libclang(dir: &str) -> bool {
    let Some((above, below)) = dir.split_once("llvm-*") else {
        return names(dir).any(|name| is_libclang(&name));
    };
    names(above)
        .filter(|name| name.starts_with("llvm-"))
        .any(|name| has_libclang(&format!("{above}{name}{below}")))
}

fn is_libclang(name: &str) -> bool {
    name.starts_with("libclang.so") || (name.starts_with("libclang-") && !name.starts_with("libclang-cpp"))
}

#[expect(clippy::disallowed_methods, reason = "it looks for a library of the system")]
fn names(dir: &str) -> impl Iterator<Item = String> {
    let entries = std::fs::read_dir(Path::new(dir)).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(args: &[&str]) -> Vec<String> {
        args.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_stores_are_taken_out_of_the_arguments() {
        let asked = |args: &[&str]| asked_for(&strings(args));
        let stores = || "rocksdb,fjall".to_owned();
        assert_eq!(
            asked(&["--compare", "rocksdb,fjall", "--quick"]),
            Some((stores(), strings(&["--quick"])))
        );
        assert_eq!(asked(&["--quick", "--compare=rocksdb,fjall"]), Some((stores(), strings(&["--quick"]))));
        assert_eq!(asked(&["--compare", "--quick"]), Some((ALL.to_owned(), strings(&["--quick"]))));
        assert_eq!(asked(&["--workload", "fillseq"]), None);
    }

    #[test]
    fn a_library_for_linking_only_is_not_taken_for_libclang() {
        assert!(is_libclang("libclang.so.1") && is_libclang("libclang-14.so"));
        assert!(!is_libclang("libclang-cpp.so.14") && !is_libclang("libclangBasic.a"));
    }
}
