//! From queued lines to bytes in the sink.

use std::io::{self, Write};

use opentelemetry_sdk::logs::SdkLogger;

use super::queue::{Batch, Queued};
use super::{AccessLogStats, line, otlp};
use crate::log_format::LogFormat;
use crate::log_format::timestamp::Timestamps;

/// How many bytes are put together before they are written: one system call for some two hundred
/// lines, and what the pipe to a log collector usually holds.
const CHUNK: usize = 64 * 1024;

/// The sink, and what it takes to fill it.
pub(super) struct Output {
    sink: Box<dyn Write + Send>,
    format: LogFormat,
    otlp: Option<SdkLogger>,
    stamps: Timestamps,
    out: Vec<u8>,
    /// Where in `out` each line ends.
    ends: Vec<usize>,
    /// The sink failed in the middle of a line, so the next one has to begin on a new one.
    torn: bool,
}

// === impl Output ===

impl Output {
    pub(super) fn new(
        sink: Box<dyn Write + Send>,
        format: LogFormat,
        otlp: Option<SdkLogger>,
    ) -> Self {
        let stamps = Timestamps::new();
        let out = Vec::with_capacity(2 * CHUNK);
        Self {
            sink,
            format,
            otlp,
            stamps,
            out,
            ends: Vec::new(),
            torn: false,
        }
    }

    /// Writes a batch and flushes the sink; says how many lines made it and how many did not.
    pub(super) fn write(&mut self, batch: &Batch) -> AccessLogStats {
        let mut tally = AccessLogStats::default();
        for queued in batch.iter() {
            if self.out.is_empty() && self.torn {
                self.out.push(b'\n');
            }
            match queued {
                Queued::Record(record) => {
                    line::push(&mut self.out, &mut self.stamps, self.format, record);
                    if let Some(logger) = &self.otlp {
                        otlp::emit(logger, record);
                    }
                }
                Queued::Line(line) => self.out.extend_from_slice(line),
            }
            if self.out.last() != Some(&b'\n') {
                self.out.push(b'\n');
            }
            self.ends.push(self.out.len());
            if self.out.len() >= CHUNK {
                self.write_out(&mut tally);
            }
        }
        self.write_out(&mut tally);
        if self.sink.flush().is_err() {
            // What the sink still had in its own buffer cannot be known.
            tally.write_errors += tally.written;
            tally.written = 0;
        }
        // One line can be as long as the whole queue may be.
        self.out.shrink_to(2 * CHUNK);
        tally
    }

    fn write_out(&mut self, tally: &mut AccessLogStats) {
        let written = write_all(&mut self.sink, &self.out);
        let whole = self.ends.partition_point(|end| *end <= written);
        tally.written += whole as u64;
        tally.write_errors += (self.ends.len() - whole) as u64;
        if written > 0 {
            self.torn = self.out[written - 1] != b'\n';
        }
        self.out.clear();
        self.ends.clear();
    }
}

/// Like [`Write::write_all`], but says how far it came.
fn write_all(sink: &mut dyn Write, bytes: &[u8]) -> usize {
    let mut written = 0;
    while written < bytes.len() {
        match sink.write(&bytes[written..]) {
            Ok(0) => break,
            Ok(more) => written = bytes.len().min(written + more),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    written
}
