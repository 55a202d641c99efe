//! The directory itself: the only file that touches the disk.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::super::transport::Signal;
use super::format::{self, HEADER};

/// A directory that this process has for itself.
#[derive(Debug)]
pub(in crate::telemetry) struct Directory {
    path: PathBuf,
    /// Locked for as long as it is there.
    lock: Mutex<Option<File>>,
}

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
            lock: Mutex::new(Some(lock)),
        }))
    }

    /// Lets others have the directory. Nothing more is written.
    pub(in crate::telemetry) fn release(&self) {
        drop(self.lock().take());
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
                Name::Whole(sequence) if is_file => match look_at(&entry.path(), signal) {
                    Ok((bytes, items)) => scan.files.push(Found {
                        sequence,
                        bytes,
                        items,
                    }),
                    Err(_) => {
                        scan.torn += 1;
                        ignore(fs::remove_file(entry.path()));
                    }
                },
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
    pub(super) fn write(&self, signal: Signal, sequence: u64, parts: [&[u8]; 2]) -> io::Result<()> {
        if self.lock().is_none() {
            return Err(io::Error::other("the directory was given back"));
        }
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

    /// Reads a file that is said to be `bytes` long.
    pub(super) fn read(&self, signal: Signal, sequence: u64, bytes: u64) -> io::Result<Vec<u8>> {
        let mut file = Vec::new();
        // One more shows that it has grown, and a file that has grown a lot is not read.
        File::open(self.file(signal, sequence, WHOLE))?
            .take(bytes + 1)
            .read_to_end(&mut file)?;
        Ok(file)
    }

    /// A file that can't be removed is found again by the next run.
    pub(super) fn remove(&self, signal: Signal, sequence: u64) {
        ignore(fs::remove_file(self.file(signal, sequence, WHOLE)));
    }

    fn file(&self, signal: Signal, sequence: u64, suffix: &str) -> PathBuf {
        let name = format!("{}-{sequence:0DIGITS$}{suffix}", signal.name());
        self.path.join(name)
    }

    fn lock(&self) -> MutexGuard<'_, Option<File>> {
        // Nothing panics half-way through a change.
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
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
fn look_at(path: &Path, signal: Signal) -> io::Result<(u64, u64)> {
    let mut file = File::open(path)?;
    let bytes = file.metadata()?.len();
    let mut head = [0; HEADER];
    file.read_exact(&mut head)?;
    let head = format::read_head(signal, &head, bytes).map_err(io::Error::other)?;
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
