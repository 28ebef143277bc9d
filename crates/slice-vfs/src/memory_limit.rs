//! How much memory this process may use: what its control groups and the machine leave it.
//!
//! A container's limit is not what the machine has, and a process that goes beyond it is killed. Linux tells the limits
//! in files, one for each group from the process's own up to the root; the least one counts. Both generations of control
//! groups are read (Linux: `Documentation/admin-guide/cgroup-v1/memory.rst` and `cgroup-v2.rst`).

use std::fs;
use std::path::{Path, PathBuf};

/// The memory that this process may use, in bytes: the least of its control groups' limits and of the machine's memory.
/// `None` where the operating system does not say.
///
/// Read anew at each call: about ten small files.
pub fn memory_limit() -> Option<u64> {
    limit_of_groups(Path::new("/")).into_iter().chain(memory_of_machine()).min()
}

#[cfg(target_os = "linux")]
fn memory_of_machine() -> Option<u64> {
    let machine = rustix::system::sysinfo();
    (machine.totalram as u64).checked_mul(u64::from(machine.mem_unit))
}

#[cfg(not(target_os = "linux"))]
const fn memory_of_machine() -> Option<u64> {
    None
}

/// The least limit of the groups of this process, with the root of the file system at `root`.
fn limit_of_groups(root: &Path) -> Option<u64> {
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
    let files = groups.lines().filter_map(limit_file).flat_map(|(mount, group, file)| {
        let mount = root.join(mount);
        // A group may be named as it is seen outside of the container; then its upper part is what is there.
        let dirs = group.ancestors().map(|dir| mount.join(dir)).collect::<Vec<_>>();
        dirs.into_iter().map(move |dir| dir.join(file))
    });
    files.filter_map(|file| fs::read_to_string(file).ok()?.trim().parse::<u64>().ok()).min()
}

/// Where the limit of a group stands, for a line `number:controllers:path`: the mount, the group in it, the file.
fn limit_file(line: &str) -> Option<(&'static str, PathBuf, &'static str)> {
    let mut fields = line.splitn(3, ':').skip(1);
    let (controllers, path) = (fields.next()?, fields.next()?);
    let group = PathBuf::from(path.trim_start_matches('/'));
    if controllers.is_empty() {
        return Some(("sys/fs/cgroup", group, "memory.max"));
    }
    let is_memory = controllers.split(',').any(|controller| controller == "memory");
    is_memory.then_some(("sys/fs/cgroup/memory", group, "memory.limit_in_bytes"))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "they make the files that the operating system would have")]
mod tests {
    use super::*;

    /// A root with these files.
    fn root(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn the_least_limit_on_the_way_up_counts() {
        let root = root(&[
            ("proc/self/cgroup", "0::/service/worker\n"),
            ("sys/fs/cgroup/service/worker/memory.max", "max\n"),
            ("sys/fs/cgroup/service/memory.max", "268435456\n"),
            ("sys/fs/cgroup/memory.max", "536870912\n"),
        ]);
        assert_eq!(limit_of_groups(root.path()), Some(256 << 20));
    }

    #[test]
    fn a_group_of_the_first_generation_is_found_among_others() {
        let root = root(&[
            ("proc/self/cgroup", "9:name=systemd:/\n4:cpu,memory:/docker/abc\n0::/\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "1073741824\n"),
        ]);
        assert_eq!(limit_of_groups(root.path()), Some(1 << 30));
    }

    #[test]
    fn without_a_limit_there_is_none() {
        assert_eq!(limit_of_groups(root(&[("proc/self/cgroup", "0::/\n")]).path()), None);
        assert_eq!(limit_of_groups(root(&[]).path()), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_machine_has_some_memory() {
        assert!(memory_limit().is_some_and(|bytes| bytes > 16 << 20));
    }
}
