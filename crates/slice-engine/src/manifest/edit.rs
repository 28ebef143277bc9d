//! A change to what a database consists of, and its bytes.
//!
//! An edit is a sequence of fields, each `[tag varint][length varint][body]`. A reader that meets a tag it does not
//! know refuses the manifest: a field that could be ignored would not be worth a tag.
//!
//! ```text
//!   tag  body
//!    1   keyspace varint, name bytes                         a keyspace exists
//!    2   keyspace varint, log varint                         its logs below this number are in tables
//!    3   keyspace varint, level u8, table                    a table joins a level
//!    4   keyspace varint, table id varint                    a table leaves
//!    5   table id varint                                     the next table's number is at least this
//!    6   seqno varint                                        all numbers up to this are taken
//!    7   log varint, length varint                           a recovered log ends here, whatever lies behind
//!    8   keyspace varint                                     a keyspace is no more, and its tables with it
//!    9   keyspace varint                                     the next keyspace's number is at least this
//!   10   log varint                                          no keyspace needs the logs below this number
//!   16   keyspace varint, seqno varint, start, end (bytes)   a range tombstone joins; an empty end is none
//!   17   keyspace varint, seqno varint                       a range tombstone leaves
//!   18   table id varint, seqno varint                       of a table that this edit adds: no entry in it is covered by
//!                                                            a range tombstone up to this number
//!
//!   table: id, stored bytes, entries, tombstones, min seqno, max seqno (varints), smallest key, largest key (bytes)
//! ```
#![deny(clippy::unwrap_used, clippy::indexing_slicing)]

use std::sync::Arc;

use slice_compaction::TableMeta;
use slice_types::coding::{Decoder, put_bytes, put_varint};
use slice_types::{Error, KeyRange, KeyspaceId, Level, LogNumber, RangeTombstone, Result, SeqNo, TableId};

/// One atomic change: after a crash all of it is there, or nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Edit {
    pub(crate) keyspaces: Vec<(KeyspaceId, String)>,
    pub(crate) first_logs: Vec<(KeyspaceId, LogNumber)>,
    pub(crate) removed: Vec<(KeyspaceId, TableId)>,
    pub(crate) added: Vec<(KeyspaceId, Level, Arc<TableMeta>)>,
    pub(crate) next_table: Option<TableId>,
    pub(crate) last_seqno: Option<SeqNo>,
    pub(crate) log_ends: Vec<(LogNumber, u64)>,
    pub(crate) dropped: Vec<KeyspaceId>,
    pub(crate) next_keyspace: Option<KeyspaceId>,
    pub(crate) oldest_log: Option<LogNumber>,
    pub(crate) tombstones_added: Vec<(KeyspaceId, RangeTombstone)>,
    pub(crate) tombstones_removed: Vec<(KeyspaceId, SeqNo)>,
}

const KEYSPACE: u64 = 1;
const FIRST_LOG: u64 = 2;
const ADDED: u64 = 3;
const REMOVED: u64 = 4;
const NEXT_TABLE: u64 = 5;
const LAST_SEQNO: u64 = 6;
const LOG_END: u64 = 7;
const DROPPED: u64 = 8;
const NEXT_KEYSPACE: u64 = 9;
const OLDEST_LOG: u64 = 10;
const TOMBSTONE_ADDED: u64 = 16;
const TOMBSTONE_REMOVED: u64 = 17;
const PURGED: u64 = 18;

impl Edit {
    /// Appends the edit's bytes.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let mut body = Vec::new();
        let mut field = |tag, fill: &dyn Fn(&mut Vec<u8>)| {
            body.clear();
            fill(&mut body);
            put_varint(out, tag);
            put_bytes(out, &body);
        };
        for (keyspace, name) in &self.keyspaces {
            field(KEYSPACE, &|b| {
                put_varint(b, u64::from(keyspace.0));
                put_bytes(b, name.as_bytes());
            });
        }
        for (keyspace, log) in &self.first_logs {
            field(FIRST_LOG, &|b| {
                put_varint(b, u64::from(keyspace.0));
                put_varint(b, u64::from(log.0));
            });
        }
        for (keyspace, table) in &self.removed {
            field(REMOVED, &|b| {
                put_varint(b, u64::from(keyspace.0));
                put_varint(b, table.0);
            });
        }
        for (keyspace, level, table) in &self.added {
            field(ADDED, &|b| {
                put_varint(b, u64::from(keyspace.0));
                b.push(level.0);
                put_table(b, table);
            });
        }
        for (_, _, table) in self.added.iter().filter(|(_, _, table)| table.purged > SeqNo::ZERO) {
            field(PURGED, &|b| {
                put_varint(b, table.id.0);
                put_varint(b, table.purged.get());
            });
        }
        for (keyspace, tombstone) in &self.tombstones_added {
            field(TOMBSTONE_ADDED, &|b| {
                put_varint(b, u64::from(keyspace.0));
                put_varint(b, tombstone.seqno.get());
                put_bytes(b, tombstone.range.start());
                put_bytes(b, tombstone.range.end_bytes());
            });
        }
        for (keyspace, seqno) in &self.tombstones_removed {
            field(TOMBSTONE_REMOVED, &|b| {
                put_varint(b, u64::from(keyspace.0));
                put_varint(b, seqno.get());
            });
        }
        if let Some(table) = self.next_table {
            field(NEXT_TABLE, &|b| put_varint(b, table.0));
        }
        if let Some(seqno) = self.last_seqno {
            field(LAST_SEQNO, &|b| put_varint(b, seqno.get()));
        }
        for (log, len) in &self.log_ends {
            field(LOG_END, &|b| {
                put_varint(b, u64::from(log.0));
                put_varint(b, *len);
            });
        }
        for keyspace in &self.dropped {
            field(DROPPED, &|b| put_varint(b, u64::from(keyspace.0)));
        }
        if let Some(keyspace) = self.next_keyspace {
            field(NEXT_KEYSPACE, &|b| put_varint(b, u64::from(keyspace.0)));
        }
        if let Some(log) = self.oldest_log {
            field(OLDEST_LOG, &|b| put_varint(b, u64::from(log.0)));
        }
    }

    /// Reads an edit.
    ///
    /// # Errors
    ///
    /// Corruption for anything that [`Edit::encode`] does not write.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        let mut edit = Self::default();
        let mut fields = Decoder::new(bytes);
        while !fields.is_empty() {
            let tag = fields.varint()?;
            let mut body = Decoder::new(fields.bytes()?);
            edit.decode_field(tag, &mut body)?;
            body.finish()?;
        }
        Ok(edit)
    }

    /// Notes of a table that was read before what is known of it besides.
    fn set_purged(&mut self, id: TableId, purged: SeqNo) -> Result<()> {
        let added = self.added.iter_mut().find(|(_, _, table)| table.id == id);
        let (_, _, table) =
            added.ok_or_else(|| Error::corruption(format!("table {id} is purged, and not added with it")))?;
        Arc::make_mut(table).purged = purged;
        Ok(())
    }

    fn decode_field(&mut self, tag: u64, body: &mut Decoder<'_>) -> Result<()> {
        match tag {
            KEYSPACE => self.keyspaces.push((keyspace(body)?, name(body)?)),
            FIRST_LOG => self.first_logs.push((keyspace(body)?, log(body)?)),
            ADDED => self.added.push((keyspace(body)?, Level(body.u8()?), Arc::new(table(body)?))),
            REMOVED => self.removed.push((keyspace(body)?, TableId(body.varint()?))),
            NEXT_TABLE => self.next_table = Some(TableId(body.varint()?)),
            LAST_SEQNO => self.last_seqno = Some(seqno(body)?),
            LOG_END => self.log_ends.push((log(body)?, body.varint()?)),
            DROPPED => self.dropped.push(keyspace(body)?),
            NEXT_KEYSPACE => self.next_keyspace = Some(keyspace(body)?),
            OLDEST_LOG => self.oldest_log = Some(log(body)?),
            TOMBSTONE_ADDED => self.tombstones_added.push((keyspace(body)?, range_tombstone(body)?)),
            TOMBSTONE_REMOVED => self.tombstones_removed.push((keyspace(body)?, seqno(body)?)),
            PURGED => self.set_purged(TableId(body.varint()?), seqno(body)?)?,
            unknown => {
                return Err(Error::corruption(format!("a manifest edit has the unknown field {unknown}")));
            }
        }
        Ok(())
    }
}

fn put_table(out: &mut Vec<u8>, table: &TableMeta) {
    for n in [
        table.id.0,
        table.bytes,
        table.entries,
        table.tombstones,
        table.min_seqno.get(),
        table.max_seqno.get(),
    ] {
        put_varint(out, n);
    }
    put_bytes(out, &table.smallest);
    put_bytes(out, &table.largest);
}

fn table(body: &mut Decoder<'_>) -> Result<TableMeta> {
    Ok(TableMeta {
        id: TableId(body.varint()?),
        bytes: body.varint()?,
        entries: body.varint()?,
        tombstones: body.varint()?,
        min_seqno: seqno(body)?,
        max_seqno: seqno(body)?,
        purged: SeqNo::ZERO,
        smallest: body.bytes()?.into(),
        largest: body.bytes()?.into(),
    })
}

fn range_tombstone(body: &mut Decoder<'_>) -> Result<RangeTombstone> {
    let seqno = seqno(body)?;
    let (start, end) = (body.bytes()?, body.bytes()?);
    Ok(RangeTombstone { range: KeyRange::from_bytes(start, end)?, seqno })
}

fn keyspace(body: &mut Decoder<'_>) -> Result<KeyspaceId> {
    body.varint_u32().map(KeyspaceId)
}

fn log(body: &mut Decoder<'_>) -> Result<LogNumber> {
    body.varint_u32().map(LogNumber)
}

fn name(body: &mut Decoder<'_>) -> Result<String> {
    let bytes = body.bytes()?.to_vec();
    String::from_utf8(bytes).map_err(|_| Error::corruption("a keyspace's name is not UTF-8"))
}

fn seqno(body: &mut Decoder<'_>) -> Result<SeqNo> {
    let n = body.varint()?;
    if n > SeqNo::MAX.get() {
        return Err(Error::corruption(format!("sequence number {n} has more than 56 bits")));
    }
    Ok(SeqNo::new(n))
}
