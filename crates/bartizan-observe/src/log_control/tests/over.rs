//! Which directives hold, with made-up time.

use crate::log_control::over::{Changed, Directives};

use super::*;

fn by(who: &str) -> Arc<str> {
    Arc::from(who)
}

fn change(from: &str, to: &str, who: &str) -> Changed {
    Changed {
        from: from.to_owned(),
        to: to.to_owned(),
        by: by(who),
    }
}

#[test]
fn an_override_holds_until_its_time_is_up() {
    let now = Clock::default().now();
    let end = now + Duration::from_secs(60);
    let mut directives = Directives::new("info".to_owned());
    let changed = directives.set("debug".to_owned(), Some(end), by("ann"));
    assert_eq!(changed, change("info", "debug", "ann"));
    assert_eq!(directives.expire(end - Duration::from_nanos(1)), None);
    assert_eq!((directives.current(), directives.base()), ("debug", "info"));
    assert_eq!(directives.expire(end), Some(change("debug", "info", "ann")));
    assert_eq!((directives.current(), directives.until()), ("info", None));
    assert_eq!(directives.expire(end), None, "once");
}

#[test]
fn a_later_change_takes_the_place_of_an_earlier_one_and_of_its_end() {
    let now = Clock::default().now();
    let (soon, late) = (now + Duration::from_secs(1), now + Duration::from_secs(2));
    for (until, at_soon, at_late) in [
        (Some(late), "trace", "info"),
        (None, "trace", "trace"),
        (Some(soon), "info", "info"),
    ] {
        let mut directives = Directives::new("info".to_owned());
        directives.set("debug".to_owned(), Some(soon), by("ann"));
        directives.set("trace".to_owned(), until, by("bob"));
        directives.expire(soon);
        assert_eq!(directives.current(), at_soon, "{until:?}");
        directives.expire(late);
        assert_eq!(directives.current(), at_late, "{until:?}");
    }
}

#[test]
fn a_reset_is_one_only_when_something_else_held() {
    let mut directives = Directives::new("info".to_owned());
    assert_eq!(directives.reset(), None);
    directives.set("debug".to_owned(), None, by("ann"));
    directives.set_base("warn".to_owned());
    assert_eq!(directives.current(), "debug", "a new base waits");
    assert_eq!(directives.reset(), Some(change("debug", "warn", "ann")));
}
