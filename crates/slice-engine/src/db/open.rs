//! From a path to an open database.
//!
//! The order matters, and a crash anywhere in it leaves a directory that opens:
//!
//! 1. take the `LOCK`;
//! 2. read the manifest, or find that this is a new database;
//! 3. open the tables, replay the logs into frozen memtables, and sync those logs;
//! 4. begin a new manifest that says where each replayed log ends, and turn `CURRENT` to it;
//! 5. begin a new log;
//! 6. remove what nothing refers to.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use slice_compaction::TableMeta;
use slice_memtable::MemTableKind;
use slice_types::{Error, ErrorKind, Result};
use slice_vfs::{FileLock, Fs, memory_limit, read_all};
use slice_wal::{GroupSync, RecoveryMode};

use super::names::{CURRENT, FileName, LOCK};
use super::read_only::no_log;
use super::trees::Trees;
use super::{Core, Logs, Snapshots};
use crate::background;
use crate::background::drain::Drain;
use crate::background::pick::Jobs;
use crate::background::threads::Threads;
use crate::background::timer::Timer;
use crate::commit::Commit;
use crate::commit::pressure::Pressure;
use crate::health::Failures;
use crate::manifest::{KeyspaceState, Manifest, State};
use crate::options::{Background, Budget, KeyspaceOptions, Options};
use crate::primitives::Mutex;
use crate::recovery::{self, Recovered};
use crate::signal::{Signal, lock};
use crate::stats::Counters;
use crate::tree::{Caches, Frozen, Graveyard, Memory, OpenTable, Settings, Tree, Version, View};
use crate::values::{Rules, Time};

/// The one name of a database's directory, made if it is missing and may be.
///
/// # Errors
///
/// `InvalidArgument` when the path is a file, or missing and not to be made; `Io` without permission.
pub(crate) fn directory(fs: &dyn Fs, path: &Path, create_if_missing: bool) -> Result<PathBuf> {
    match fs.metadata(path) {
        Ok(metadata) if metadata.is_dir => {
            // Whoever made it may have been killed before its name was durable, and all that is in it goes with it.
            // With `CURRENT` in it, a store has made sure.
            if create_if_missing && !has_current(fs, path)? {
                make(fs, path)?;
            }
        }
        Ok(_) => {
            return Err(
                Error::invalid_argument("the path is a file; a store needs a directory").with_file(path)
            );
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound && create_if_missing => {
            make(fs, path)?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(nothing_here(path)),
        Err(error) => return Err(Error::io("look at the directory", error).with_file(path)),
    }
    fs.canonicalize(path).map_err(|error| Error::io("resolve the directory", error).with_file(path))
}

fn make(fs: &dyn Fs, path: &Path) -> Result<()> {
    fs.create_dir_all(path).map_err(|error| Error::io("create the directory", error).with_file(path))
}

pub(super) fn nothing_here(path: &Path) -> Error {
    let message = "there is no store here; set create_if_missing to make one";
    Error::invalid_argument(message).with_file(path)
}

/// Options of keyspaces, by their names.
pub(crate) type Declared = BTreeMap<String, KeyspaceOptions>;

/// Opens the database of a directory and starts its threads.
pub(crate) fn open(
    fs: Arc<dyn Fs>,
    dir: PathBuf,
    options: Options,
    declared: &Declared,
) -> Result<Arc<Core>> {
    let span = tracing::info_span!("open", dir = %dir.display());
    let _entered = span.enter();
    if options.read_only {
        return super::read_only::open(fs, dir, options, declared);
    }
    // Before the lock makes a file of its own: a directory that is not ours is left as it was.
    if !has_current(&*fs, &dir)? {
        initial_state(&*fs, &dir, options.create_if_missing)?;
    }
    let directory_lock = take_lock(&*fs, &dir)?;
    let state = match Manifest::load(&*fs, &dir)? {
        Some(loaded) => loaded,
        None => initial_state(&*fs, &dir, options.create_if_missing)?,
    };
    let recovered = recovery::replay_logs(&*fs, &dir, &state, &options)?;
    let core = assemble(fs, dir, options, declared, &state, recovered, Some(directory_lock))?;
    core.remove_unreferenced()?;
    core.balance_memory();
    if core.is_inline() || core.options.recovery_mode == RecoveryMode::Salvage {
        // Salvaged logs have holes, which another open would find again, with another mode perhaps.
        core.flush_inline()?;
    }
    core.declare(declared)?;
    if core.is_inline() {
        return Ok(core);
    }
    if let Err(error) = background::start(&core) {
        core.stop();
        return Err(error);
    }
    core.logs.flush_is_due();
    Ok(core)
}

fn has_current(fs: &dyn Fs, dir: &Path) -> Result<bool> {
    let path = dir.join(CURRENT);
    match fs.metadata(&path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::io("look for CURRENT", error).with_file(path)),
    }
}

fn take_lock(fs: &dyn Fs, dir: &Path) -> Result<Box<dyn FileLock>> {
    let path = dir.join(LOCK);
    let note = format!("{}\n", std::process::id());
    match fs.try_lock(&path, &note) {
        Ok(Some(taken)) => Ok(taken),
        Ok(None) => {
            let message =
                format!("the store is open in another process{}; close it there first", holder(fs, &path));
            Err(Error::new(ErrorKind::Locked, message).with_file(dir))
        }
        Err(error) => Err(Error::io("lock the directory", error).with_file(path)),
    }
}

/// Who is said to have the lock, to be put into a message.
pub(super) fn holder(fs: &dyn Fs, path: &Path) -> String {
    let holder = read_all(fs, path).unwrap_or_default();
    let holder = String::from_utf8_lossy(&holder).trim().to_owned();
    if holder.is_empty() { holder } else { format!(", with pid {holder}") }
}

/// The state of a directory without `CURRENT`: empty, if the directory is.
///
/// What a crash in the midst of making a database leaves (its lock, its first manifest) is no obstacle. Logs and
/// tables are: they come after `CURRENT`, so without it something is lost. And a directory of other files is most
/// likely not meant.
fn initial_state(fs: &dyn Fs, dir: &Path, create_if_missing: bool) -> Result<State> {
    if !create_if_missing {
        return Err(nothing_here(dir));
    }
    let names = fs.list_dir(dir).map_err(|error| Error::io("list the directory", error).with_file(dir))?;
    for name in names {
        match FileName::parse(&name) {
            Some(FileName::Log(_) | FileName::Table(_)) => {
                let message = "the directory holds a store without its CURRENT file; restore that file";
                return Err(Error::corruption(message).with_file(dir.join(name)));
            }
            Some(_) => {}
            None if name.starts_with('.') || name == "lost+found" => {}
            None => {
                let message =
                    "the directory holds other files and no store; choose an empty or a new directory";
                return Err(Error::invalid_argument(message).with_file(dir.join(name)));
            }
        }
    }
    Ok(State::empty())
}

pub(super) fn assemble(
    fs: Arc<dyn Fs>,
    dir: PathBuf,
    options: Options,
    declared: &Declared,
    state: &State,
    mut recovered: Recovered,
    directory_lock: Option<Box<dyn FileLock>>,
) -> Result<Arc<Core>> {
    let budget = Budget::of(&options, memory_limit());
    let options = budget.cut(options);
    let caches = Caches::new(&options, budget);
    let graveyard = Arc::new(Graveyard::default());
    // Before the memtables are taken out of what was recovered: it says from which logs on they are needed.
    let opened = state.apply(&recovered.edit(state))?;
    let last_seqno = opened.last_seqno;
    let time = Arc::new(Time::new(options.clock.clone()));
    let trees = state
        .keyspaces
        .iter()
        .map(|(id, keyspace)| {
            let own = declared
                .get(&keyspace.name)
                .map_or_else(|| options.clone(), |own| budget.cut(own.over(&options)));
            let version = open_version(&*fs, &dir, keyspace, &caches, &graveyard)?;
            let frozen = recovered.frozen.remove(id).unwrap_or_default();
            let view = view(own.memtable_kind, frozen, version);
            let rules = Rules::new(&own, Arc::clone(&time));
            Ok(Arc::new(Tree::new(*id, keyspace.name.clone(), Settings::new(own), rules, view)))
        })
        .collect::<Result<Vec<_>>>()?;
    let begin = if options.read_only { Manifest::kept } else { Manifest::begin };
    let manifest = begin(Arc::clone(&fs), &dir, opened)?;

    let sync = Arc::new(GroupSync::new());
    let next = recovered.next_log;
    let logs = Logs::new(Arc::clone(&fs), dir.clone(), next, options.background == Background::Threads);
    let log = if options.read_only { no_log(&dir, next)? } else { logs.begin(&sync)? };
    for (number, last) in recovered.logs {
        logs.keep_replayed(number, last);
    }
    let commit = Commit::new(log, &trees, last_seqno, sync, &options, budget.for_active_memtables(&options));
    Ok(Arc::new(Core {
        next_table: AtomicU64::new(manifest.state().next_table.0),
        tree: Arc::clone(&trees[0]),
        trees: Trees::new(trees),
        snapshots: Snapshots::default(),
        budget,
        time,
        manifest: Mutex::new(manifest),
        directory_lock: Mutex::new(directory_lock),
        stopping: AtomicBool::new(false),
        limbo: Mutex::default(),
        jobs: Jobs::default(),
        flushing: Mutex::default(),
        ingesting: Mutex::default(),
        compacting: Mutex::default(),
        pressure: Pressure::default(),
        drain: Drain::default(),
        counters: Counters::default(),
        failures: Failures::default(),
        changed: Signal::default(),
        timer: Timer::default(),
        threads: Threads::default(),
        fs,
        dir,
        options,
        caches,
        commit,
        logs,
        graveyard,
    }))
}

/// What a keyspace begins with.
pub(super) fn view(kind: MemTableKind, frozen: Vec<Arc<Frozen>>, version: Version) -> View {
    View { active: Arc::new(Memory::of(kind)), frozen, version: Arc::new(version) }
}

fn open_version(
    fs: &dyn Fs,
    dir: &Path,
    keyspace: &KeyspaceState,
    caches: &Caches,
    graveyard: &Arc<Graveyard>,
) -> Result<Version> {
    let open = |meta: &Arc<TableMeta>| {
        let (blocks, graveyard) = (&caches.blocks, Arc::clone(graveyard));
        OpenTable::open(fs, dir, Arc::clone(meta), blocks, graveyard).map(Arc::new)
    };
    let level = |tables: &Vec<Arc<TableMeta>>| tables.iter().map(open).collect::<Result<Vec<_>>>();
    let version = Version::new(keyspace.levels.iter().map(level).collect::<Result<_>>()?);
    Ok(version.with_range_tombstones(keyspace.range_tombstones.values().cloned()))
}

impl Core {
    /// Removes the files that a crash left behind and nothing refers to: outputs of jobs that did not finish, inputs
    /// of jobs that did, older manifests, logs that are in tables.
    fn remove_unreferenced(&self) -> Result<()> {
        let names = self.fs.list_dir(&self.dir);
        let names = names.map_err(|error| Error::io("list the directory", error).with_file(&self.dir))?;
        let manifest = lock(&self.manifest);
        let trees = self.trees.all();
        let has_table = |id| trees.iter().any(|tree| tree.view().version.table(id).is_some());
        let current_log = self.commit.position().log;
        let old_logs = self.logs.old();
        let is_needed = |file: FileName| match file {
            FileName::Lock | FileName::Current => true,
            FileName::Manifest(number) => number == manifest.number(),
            FileName::Log(log) => log == current_log || old_logs.iter().any(|(old, _)| *old == log),
            FileName::Table(id) => has_table(id),
            FileName::Temporary => false,
        };
        for name in names {
            if FileName::parse(&name).is_none_or(is_needed) {
                continue;
            }
            let path = self.dir.join(&name);
            tracing::debug!(file = name, "removing a file that nothing refers to");
            self.fs
                .remove_file(&path)
                .map_err(|error| Error::io("remove a left-over file", error).with_file(path))?;
        }
        Ok(())
    }
}
