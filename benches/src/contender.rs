//! Stores by name: what a program that measures several of them needs.

use std::future::Future;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use crate::engine::Engine;
use crate::engines::nothing::Nothing;
use crate::engines::slice::{Slice, SliceAsync};
use crate::knobs::Knobs;
use crate::measure::{self, Label};
use crate::results::Run;
use crate::settings::RunArgs;

/// A store that can be measured, whatever its type.
pub trait Contender: Send + Sync {
    /// Who it is.
    fn label(&self) -> &Label;

    /// Does one run.
    ///
    /// # Errors
    ///
    /// Errors of the store, and whatever it answers wrongly.
    fn run(&self, args: &RunArgs) -> anyhow::Result<Run>;
}

/// A store, and a way to open it.
pub struct Named<E, O> {
    label: Label,
    open: O,
    engine: PhantomData<fn() -> E>,
}

impl<E, O> Named<E, O> {
    /// A store with a name for the command line, a label for people, a version, and a way to open it in a directory.
    pub fn new(engine: &str, column: &str, version: &str, open: O) -> Self {
        Self { label: Label::new(engine, column, version), open, engine: PhantomData }
    }
}

impl<E, O, F> Contender for Named<E, O>
where
    E: Engine,
    O: Fn(PathBuf, Knobs) -> F + Send + Sync,
    F: Future<Output = anyhow::Result<E>>,
{
    fn label(&self) -> &Label {
        &self.label
    }

    fn run(&self, args: &RunArgs) -> anyhow::Result<Run> {
        measure::run(&self.label, args, &self.open)
    }
}

/// No store: what it takes to do this is the driver's own, the same in every run.
struct Overhead(Label);

impl Contender for Overhead {
    fn label(&self) -> &Label {
        &self.0
    }

    fn run(&self, args: &RunArgs) -> anyhow::Result<Run> {
        args.check()?;
        let (keys, values) = (args.settings.keys, args.plan().values);
        measure::run(&self.0, args, |_, _| std::future::ready(Ok(Nothing { keys, values })))
    }
}

/// slice by both of its faces: `slice` is the one that blocks, `slice-async` the other. And `nothing`.
pub fn ours() -> Vec<Box<dyn Contender>> {
    let version = env!("CARGO_PKG_VERSION");
    let blocking = |dir: PathBuf, knobs: Knobs| std::future::ready(Slice::open(Path::new(&dir), &knobs));
    let tasks = |dir: PathBuf, knobs: Knobs| async move { SliceAsync::open(&dir, &knobs).await };
    vec![
        Box::new(Named::<Slice, _>::new("slice", "slice", version, blocking)),
        Box::new(Named::<SliceAsync, _>::new("slice-async", "slice (async)", version, tasks)),
        Box::new(Overhead(Label::new("nothing", "the driver alone", version))),
    ]
}
