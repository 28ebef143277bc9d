//! The tables that a flush or a compaction writes.

use std::sync::Arc;

use slice_compaction::{TableMeta, TableSink};
use slice_sstable::{TableBuilder, TableFiles, TableOptions, TableProperties};
use slice_types::{EntryRef, Error, Level, Result, SeqNo, TableId};

use crate::db::Core;
use crate::db::names::TablePaths;
use crate::planted::Bug;
use crate::signal::lock;
use crate::tree::{OpenTable, Settings};

/// Writes tables one after the other. Unless they are [finished](Outputs::finish), their files go with it.
pub(crate) struct Outputs<'a> {
    core: &'a Core,
    options: TableOptions,
    current: Option<(TableId, TableBuilder)>,
    tables: Vec<Arc<TableMeta>>,
    /// All whose files may exist, and that nobody else answers for yet.
    created: Vec<TableId>,
    /// The newest range tombstone that is applied to all of them.
    purged: SeqNo,
}

impl<'a> Outputs<'a> {
    /// For tables of a level of a keyspace, and a merge that applies all range tombstones up to `purged`.
    pub(crate) fn new(core: &'a Core, settings: &Settings, level: Level, purged: SeqNo) -> Self {
        let options = settings.table_options(level);
        Self { core, options, current: None, tables: Vec::new(), created: Vec::new(), purged }
    }

    /// How many entries the ended tables have.
    pub(crate) fn entries(&self) -> u64 {
        self.tables.iter().map(|table| table.entries).sum()
    }

    /// Ends the last table and opens all of them. Their bytes are durable; their names are not yet.
    pub(crate) fn finish(mut self) -> Result<Vec<Arc<OpenTable>>> {
        self.cut()?;
        let metas = std::mem::take(&mut self.tables);
        let opened =
            metas.into_iter().map(|meta| self.core.open_table(meta).map(Arc::new)).collect::<Result<_>>()?;
        self.created.clear();
        Ok(opened)
    }

    /// Leaves all files where they are: the directory is not the store's any more.
    pub(crate) fn disown(&mut self) {
        self.created.clear();
    }

    fn begin(&mut self) -> Result<&mut (TableId, TableBuilder)> {
        let id = self.core.new_table_id();
        self.created.push(id);
        let files = self.core.create_table_files(id)?;
        let builder = TableBuilder::new(files, self.options.clone())?.with_salt(id.0);
        Ok(self.current.insert((id, builder)))
    }
}

impl TableSink for Outputs<'_> {
    fn add(&mut self, entry: EntryRef<'_>) -> Result<()> {
        if self.core.options.planted.has(Bug::LoseEntries) && self.current.is_some() {
            return Ok(());
        }
        let (_, builder) = match &mut self.current {
            Some(current) => current,
            None => self.begin()?,
        };
        builder.add(entry)
    }

    fn bytes(&self) -> u64 {
        self.current.as_ref().map_or(0, |(_, builder)| builder.estimated_bytes())
    }

    fn cut(&mut self) -> Result<()> {
        let Some((id, builder)) = self.current.take() else { return Ok(()) };
        let path = TablePaths::new(&self.core.dir, id).data;
        let properties = builder.finish().map_err(|error| error.with_file(path))?;
        self.tables.push(Arc::new(meta_of(id, &properties, self.purged)));
        Ok(())
    }
}

impl Drop for Outputs<'_> {
    fn drop(&mut self) {
        self.current = None;
        for id in &self.created {
            self.core.remove_table_files(*id);
        }
    }
}

fn meta_of(id: TableId, properties: &TableProperties, purged: SeqNo) -> TableMeta {
    TableMeta {
        id,
        smallest: properties.smallest_key[..].into(),
        largest: properties.largest_key[..].into(),
        bytes: properties.stored_bytes(),
        entries: properties.entries,
        tombstones: properties.tombstones,
        min_seqno: properties.min_seqno,
        max_seqno: properties.max_seqno,
        purged,
    }
}

impl Core {
    fn create_table_files(&self, id: TableId) -> Result<TableFiles> {
        let paths = TablePaths::new(&self.dir, id);
        let create = |path: &std::path::Path| {
            self.fs
                .create_append(path)
                .map_err(|error| Error::io("create a table's file", error).with_file(path))
        };
        Ok(TableFiles {
            data: create(&paths.data)?,
            index: create(&paths.index)?,
            filter: create(&paths.filter)?,
        })
    }

    pub(crate) fn open_table(&self, meta: Arc<TableMeta>) -> Result<OpenTable> {
        let (blocks, graveyard) = (&self.caches.blocks, Arc::clone(&self.graveyard));
        OpenTable::open(&*self.fs, &self.dir, meta, blocks, graveyard)
    }

    /// Removes what there is of a table's files. What cannot be removed now is tried again with a later job, and at the
    /// next open.
    pub(crate) fn remove_table_files(&self, id: TableId) {
        let mut is_gone = true;
        for path in TablePaths::new(&self.dir, id).all() {
            match self.fs.remove_file(path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    tracing::warn!(%error, file = %path.display(), "a table's file could not be removed");
                    is_gone = false;
                }
                _ => {}
            }
        }
        if !is_gone {
            lock(&self.limbo).push(id);
        }
    }
}
