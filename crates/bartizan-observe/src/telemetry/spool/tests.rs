//! The files of one signal on a real disk, without a collector.

use std::fs;

use super::directory::Unusable;
use super::store::Turn;
use super::*;
use crate::Clock;
use crate::telemetry::queue::{Bounds, Feed, Next, Queue};
use crate::telemetry::tests::Place;
use crate::telemetry::transport::{Handed, Sent};

const BOUND: Bound = Bound {
    bytes: 10_000,
    files: 10,
};

const MESSAGE: &[u8] = b"what an exporter has encoded";

fn open(place: &Place) -> (Arc<Directory>, Spool, SpoolReport) {
    let directory = Directory::open(place.path()).unwrap();
    let (spool, report) =
        Spool::open(&directory, Signal::Traces, BOUND, Backoff::default()).unwrap();
    (directory, spool, report)
}

fn queue() -> Queue<()> {
    let bounds = Bounds {
        items: 9,
        bytes: 9,
        batch: 1,
    };
    Queue::new(Feed::Pushed, bounds, Handed::assumed(), Clock::default())
}

/// Has one item's message kept.
fn keep(spool: &Spool, queue: &Queue<()>) -> bool {
    queue.push((), 1);
    assert!(matches!(queue.next(), Next::Batch(_)));
    spool.keep(queue, MESSAGE, 1, &Sent::Unreachable)
}

fn given(turn: Turn) -> index::Entry {
    match turn {
        Turn::Send(entry) => entry,
        other => panic!("{other:?}"),
    }
}

fn closed(place: &Place, spool: Spool, directory: Arc<Directory>) -> PathBuf {
    drop((spool, directory));
    place.files().remove(0)
}

#[test]
fn a_file_that_cannot_be_read_for_now_is_kept_and_asked_for_later() {
    let place = Place::new("unreadable");
    let (_directory, spool, _) = open(&place);
    let (queue, now) = (queue(), Clock::default().now());
    assert!(keep(&spool, &queue));
    let file = place.files().remove(0);
    let aside = file.with_extension("aside");
    // Opening a directory works, and reading it does not.
    fs::rename(&file, &aside).unwrap();
    fs::create_dir(&file).unwrap();
    let entry = given(spool.turn(now));
    assert_eq!(spool.load(&entry, &queue, now), None);
    assert_eq!((queue.report().spooled, queue.report().lost()), (1, 0));
    assert!(matches!(spool.turn(now), Turn::At(_)), "not in a loop");

    fs::remove_dir(&file).unwrap();
    fs::rename(&aside, &file).unwrap();
    let later = now + Duration::from_secs(60);
    let entry = given(spool.turn(later));
    assert_eq!(spool.load(&entry, &queue, later).unwrap(), MESSAGE);
}

#[test]
fn a_file_that_has_gone_is_counted_as_torn() {
    let place = Place::new("vanished");
    let (_directory, spool, _) = open(&place);
    let (queue, now) = (queue(), Clock::default().now());
    assert!(keep(&spool, &queue));
    fs::remove_file(place.files().remove(0)).unwrap();
    let entry = given(spool.turn(now));
    assert_eq!(spool.load(&entry, &queue, now), None);
    assert_eq!(queue.report().dropped.spool, 1);
    assert_eq!(queue.spool_report().torn_files, 1);
    assert_eq!(spool.turn(now), Turn::Nothing);
}

#[test]
fn a_write_that_stopped_anywhere_is_found_by_the_next_run() {
    let place = Place::new("stopped");
    let (directory, spool, _) = open(&place);
    assert!(keep(&spool, &queue()));
    let file = closed(&place, spool, directory);
    let whole = fs::read(&file).unwrap();
    for end in 0..whole.len() {
        fs::write(&file, &whole[..end]).unwrap();
        let (_, _, report) = open(&place);
        assert_eq!((report.found, report.torn_files), (0, 1), "{end} bytes");
        assert!(!file.exists());
    }
    fs::write(&file, &whole).unwrap();
    let (_, _, report) = open(&place);
    assert_eq!((report.found, report.torn_files), (1, 0));
}

#[test]
fn no_name_that_is_taken_is_written_to() {
    let place = Place::new("taken");
    let (directory, spool, _) = open(&place);
    assert!(keep(&spool, &queue()));
    let file = closed(&place, spool, directory);
    let other = place.path().join("traces-00000000000000000007.otlp");
    fs::rename(&file, place.path().join("kept")).unwrap();
    fs::create_dir(&other).unwrap();
    let (_directory, spool, report) = open(&place);
    assert_eq!(report.foreign_files, 2);
    assert!(keep(&spool, &queue()));
    let last = place.files().pop().unwrap();
    assert!(last.ends_with("traces-00000000000000000008.otlp"));
}

#[test]
fn the_directory_is_not_given_away_in_the_midst_of_a_write() {
    let place = Place::new("lease");
    let (directory, spool, _) = open(&place);
    let queue = queue();
    assert!(keep(&spool, &queue));
    let held = directory.hold().unwrap();
    directory.release();
    assert!(matches!(
        Directory::open(place.path()),
        Err(Unusable::Taken)
    ));
    drop(held);
    let (_next, _, report) = open(&place);
    assert_eq!(report.found, 1);

    assert!(!keep(&spool, &queue), "it is another's now");
    let now = Clock::default().now();
    let entry = given(spool.turn(now));
    spool.settle(&entry, &Sent::Acknowledged { rejected: 0 }, now);
    assert_eq!(place.files().len(), 1, "and so are the files");
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_what_is_kept() {
    use std::os::unix::fs::PermissionsExt;

    let place = Place::new("private");
    let (_directory, spool, _) = open(&place);
    assert!(keep(&spool, &queue()));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(place.path()), 0o700);
    assert_eq!(mode(&place.files()[0]), 0o600);
    assert_eq!(mode(&place.path().join("spool.lock")), 0o600);
}

#[cfg(unix)]
#[test]
fn a_link_is_neither_followed_nor_removed() {
    let place = Place::new("link");
    let (directory, spool, _) = open(&place);
    assert!(keep(&spool, &queue()));
    let file = closed(&place, spool, directory);
    let elsewhere = place.path().join("elsewhere");
    fs::rename(&file, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &file).unwrap();
    let (_, _, report) = open(&place);
    assert_eq!((report.found, report.foreign_files), (0, 2));
    assert!(file.is_symlink() && elsewhere.exists());
}
