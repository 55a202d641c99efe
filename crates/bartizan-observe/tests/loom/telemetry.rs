mod sync {
    pub(super) use loom::sync::Arc;
    pub(super) use loom::sync::atomic::{AtomicU64, Ordering};
}

#[path = "../../src/telemetry/transport/handed.rs"]
#[expect(dead_code, reason = "the crate needs more of it than the tests")]
mod handed;

use handed::Handed;
use loom::thread;

#[test]
fn a_request_is_either_read_or_certainly_lost() {
    loom::model(|| {
        let handed = Handed::new();
        let ticket = handed.begin();
        let connection = thread::spawn(move || ticket.read());
        let too_late = handed.revoke();
        assert_eq!(connection.join().unwrap(), too_late);
        assert_eq!(handed.revoke(), too_late, "the answer stays");
    });
}

#[test]
fn the_body_of_an_earlier_request_does_not_speak_for_a_later_one() {
    loom::model(|| {
        let handed = Handed::new();
        let earlier = handed.begin();
        let connection = thread::spawn(move || earlier.read());
        let later = handed.begin();
        assert!(!handed.revoke());
        assert!(!later.read());
        // Either way: it depends on whether it came before the later one began.
        connection.join().unwrap();
    });
}

#[test]
fn a_body_is_read_in_several_goes() {
    loom::model(|| {
        let ticket = Handed::new().begin();
        assert!(ticket.read() && ticket.read());
    });
}

#[test]
fn a_request_that_was_not_read_is_told_from_its_batch_that_may_have_come_with_an_earlier_one() {
    loom::model(|| {
        let handed = Handed::new();
        assert!(handed.begin().read());
        handed.doubt();
        let again = handed.begin();
        let connection = thread::spawn(move || again.read());
        let too_late = handed.revoke_request();
        assert_eq!(connection.join().unwrap(), too_late);
        assert!(handed.revoke(), "the batch may be there either way");
    });
}
