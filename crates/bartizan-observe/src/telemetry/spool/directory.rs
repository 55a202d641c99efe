//! The directory itself: the only file that touches the disk.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::super::transport::Signal;
use super::format::{self, HEADER, Torn};

/// A directory that this process has for itself.
#[derive(Debug)]
pub(in crate::telemetry) struct Directory {
    path: PathBuf,
    /// Locked for as long as it is there, or somebody is at work.
    lock: Mutex<Option<Arc<File>>>,
}

/// Nobody else gets the directory as long as this is there, also when it is
/// [released](Directory::release) in the meantime.
#[derive(Debug)]
pub(super) struct Held(#[expect(dead_code, reason = "closing the file unlocks it")] Arc<File>);

/// Why there is no directory.
#[derive(Debug)]
pub(super) enum Unusable {
    /// It can't be created.
    Missing(io::Error),
    /// Another process has it, or another handle of this one.
    Taken,
    /// It is there, and can't be used.
    Broken(io::Error),
}

/// What lies there at the start.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Scan {
    pub(super) files: Vec<Found>,
    /// Files under names of ours that are not whole; they are removed.
    pub(super) torn: u64,
    /// What has no name of ours; it is left alone.
    pub(super) foreign: u64,
    /// Files under names of ours that cannot be read; they are left alone, too.
    pub(super) unreadable: u64,
    /// The first number that no name has.
    pub(super) next: u64,
}

/// Why a file is not to be sent.
#[derive(Debug)]
pub(super) enum Unread {
    /// It is not there, or not what was written.
    Lost(String),
    /// It may well be sound, and is not to be had: too many files are open, for example.
    Unreadable(io::Error),
}

/// A file whose header is sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) sequence: u64,
    pub(super) bytes: u64,
    pub(super) items: u64,
}

/// What a name says.
#[derive(Debug, PartialEq, Eq)]
enum Name {
    Whole(u64),
    /// A write that did not come to its end.
    Unfinished,
    OtherSignal,
    Foreign,
}

const LOCK: &str = "spool.lock";
const WHOLE: &str = ".otlp";
const UNFINISHED: &str = ".tmp";
/// As many as the largest number has.
const DIGITS: usize = 20;
/// Far beyond what a process can write, and far from where counting on would overflow.
const MAX_SEQUENCE: u64 = u64::MAX / 2;

// === impl Directory ===

impl Directory {
    pub(super) fn open(path: &Path) -> Result<Arc<Self>, Unusable> {
        private_dirs().create(path).map_err(Unusable::Missing)?;
        let lock = private(OpenOptions::new().write(true).create(true).truncate(false))
            .open(path.join(LOCK))
            .map_err(Unusable::Broken)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Unusable::Taken),
            Err(TryLockError::Error(error)) => return Err(Unusable::Broken(error)),
        }
        Ok(Arc::new(Self {
            path: path.to_owned(),
            lock: Mutex::new(Some(Arc::new(lock))),
        }))
    }

    /// Lets others have the directory, once nobody is at work in it. Nothing more is written.
    pub(in crate::telemetry) fn release(&self) {
        drop(self.lock().take());
    }

    /// Keeps others out for a while; `None` when the directory was given back.
    pub(super) fn hold(&self) -> Option<Held> {
        self.lock().clone().map(Held)
    }

    /// Removes what is torn, and says what is there.
    pub(super) fn scan(&self, signal: Signal) -> io::Result<Scan> {
        let mut scan = Scan::default();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let name = entry.file_name();
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            match name
                .to_str()
                .map_or(Name::Foreign, |it| read_name(signal, it))
            {
                Name::OtherSignal if is_file => {}
                Name::Whole(sequence) => {
                    scan.next = scan.next.max(sequence + 1);
                    if is_file {
                        scan.look_at(&entry.path(), sequence, signal);
                    } else {
                        scan.foreign += 1;
                    }
                }
                Name::Unfinished if is_file => {
                    scan.torn += 1;
                    ignore(fs::remove_file(entry.path()));
                }
                _ => scan.foreign += 1,
            }
        }
        Ok(scan)
    }

    /// Writes a file so that it is there whole or not at all, for as long as the machine runs: it
    /// is not forced to the disk, which may take longer than a shutdown has. What a power failure
    /// leaves of it is found by its sums.
    pub(super) fn write(
        &self,
        _held: &Held,
        signal: Signal,
        sequence: u64,
        parts: [&[u8]; 2],
    ) -> io::Result<()> {
        let unfinished = self.file(signal, sequence, UNFINISHED);
        let written = private(OpenOptions::new().write(true).create_new(true))
            .open(&unfinished)
            .and_then(|mut file| {
                parts.iter().try_for_each(|part| file.write_all(part))?;
                fs::rename(&unfinished, self.file(signal, sequence, WHOLE))
            });
        if written.is_err() {
            ignore(fs::remove_file(&unfinished));
        }
        written
    }

    /// Reads the message of a file that is said to be `bytes` long and to hold so many items.
    pub(super) fn read(
        &self,
        signal: Signal,
        sequence: u64,
        bytes: u64,
        items: u64,
    ) -> Result<Vec<u8>, Unread> {
        let mut file = Vec::new();
        // One more shows that it has grown, and a file that has grown a lot is not read.
        File::open(self.file(signal, sequence, WHOLE))
            .and_then(|it| it.take(bytes + 1).read_to_end(&mut file))
            .map_err(Unread::from)?;
        let (head, _) = format::read(signal, &file)?;
        if u64::from(head.items) != items {
            return Err(Unread::Lost("it is another one".to_owned()));
        }
        Ok(file.split_off(HEADER))
    }

    /// A file that can't be removed is found again by the next run.
    pub(super) fn remove(&self, _held: &Held, signal: Signal, sequence: u64) {
        ignore(fs::remove_file(self.file(signal, sequence, WHOLE)));
    }

    fn file(&self, signal: Signal, sequence: u64, suffix: &str) -> PathBuf {
        let name = format!("{}-{sequence:0DIGITS$}{suffix}", signal.name());
        self.path.join(name)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<File>>> {
        // Nothing panics half-way through a change.
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Scan ===

impl Scan {
    fn look_at(&mut self, path: &Path, sequence: u64, signal: Signal) {
        match look_at(path, signal) {
            Ok((bytes, items)) => self.files.push(Found {
                sequence,
                bytes,
                items,
            }),
            Err(Unread::Lost(_)) => {
                self.torn += 1;
                ignore(fs::remove_file(path));
            }
            Err(Unread::Unreadable(_)) => self.unreadable += 1,
        }
    }
}

// === impl Unread ===

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof => Self::Lost(error.to_string()),
            _ => Self::Unreadable(error),
        }
    }
}

impl From<Torn> for Unread {
    fn from(torn: Torn) -> Self {
        Self::Lost(torn.to_string())
    }
}

fn read_name(signal: Signal, name: &str) -> Name {
    if name == LOCK {
        return Name::OtherSignal;
    }
    let Some((prefix, rest)) = name.split_once('-') else {
        return Name::Foreign;
    };
    let Some((digits, suffix)) = rest.split_at_checked(DIGITS) else {
        return Name::Foreign;
    };
    let known = [Signal::Traces, Signal::Logs].map(Signal::name);
    let sequence = digits.bytes().all(|digit| digit.is_ascii_digit());
    let sequence = sequence.then(|| digits.parse().ok()).flatten();
    match (sequence, suffix) {
        (Some(0..=MAX_SEQUENCE), WHOLE | UNFINISHED)
            if known.contains(&prefix) && prefix != signal.name() =>
        {
            Name::OtherSignal
        }
        (Some(sequence @ 0..=MAX_SEQUENCE), WHOLE) if prefix == signal.name() => {
            Name::Whole(sequence)
        }
        (Some(0..=MAX_SEQUENCE), UNFINISHED) if prefix == signal.name() => Name::Unfinished,
        _ => Name::Foreign,
    }
}

/// Length and number of items, by the header alone.
fn look_at(path: &Path, signal: Signal) -> Result<(u64, u64), Unread> {
    let mut file = File::open(path)?;
    let bytes = file.metadata()?.len();
    let mut head = [0; HEADER];
    file.read_exact(&mut head)?;
    let head = format::read_head(signal, &head, bytes)?;
    Ok((bytes, u64::from(head.items)))
}

/// Telemetry holds what is nobody else's to read.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

fn private_dirs() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

/// There is nothing to be done about it here.
fn ignore(result: io::Result<()>) {
    drop(result);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_ours_are_read_as_ours() {
        for (name, expected) in [
            ("traces-00000000000000000042.otlp", Name::Whole(42)),
            ("traces-00000000000000000042.tmp", Name::Unfinished),
            ("logs-00000000000000000042.otlp", Name::OtherSignal),
            ("logs-00000000000000000042.tmp", Name::OtherSignal),
            ("spool.lock", Name::OtherSignal),
            ("traces-42.otlp", Name::Foreign),
            ("traces-+0000000000000000042.otlp", Name::Foreign),
            ("traces-99999999999999999999.otlp", Name::Foreign),
            ("traces-18446744073709551615.otlp", Name::Foreign),
            ("traces-00000000000000000042.otlp.bak", Name::Foreign),
            ("metrics-00000000000000000042.otlp", Name::Foreign),
            ("traces-ééééééééééééé", Name::Foreign),
            ("README", Name::Foreign),
        ] {
            assert_eq!(read_name(Signal::Traces, name), expected, "{name}");
        }
    }
}
