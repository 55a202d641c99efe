use super::*;

fn quota(rate: u32, per: Duration, burst: u32) -> Quota {
    Quota::new(rate, per, burst).unwrap()
}

#[test]
fn a_wait_is_never_less_than_it_takes_and_never_nothing() {
    for (millis, expected) in [
        (0, 1),
        (1, 1),
        (900, 1),
        (1_000, 1),
        (1_001, 2),
        (59_999, 60),
    ] {
        assert_eq!(
            retry_after(Duration::from_millis(millis)),
            expected,
            "{millis} ms"
        );
    }
    assert_eq!(retry_after(Duration::from_nanos(1_000_000_001)), 2);
}

#[test]
fn a_quota_is_said_in_whole_seconds_at_its_own_rate() {
    let said = |name, rate, per, burst| {
        let mut list = List::new();
        policy(&mut list, &string(name), &quota(rate, per, burst));
        String::from_utf8(list.to_vec()).unwrap()
    };
    let second = Duration::from_secs(1);
    assert_eq!(said("a", 100, 60 * second, 10), r#""a";q=100;w=60"#);
    assert_eq!(said("a", 5, second / 10, 1), r#""a";q=50;w=1"#);
    assert_eq!(said("a", 3, second * 3 / 2, 1), r#""a";q=4;w=2"#);
    assert_eq!(
        said("a", 4_000_000_000, 4 * second, 1),
        r#""a";q=4000000000;w=4"#
    );
    assert_eq!(
        said(r#"a "b" \ c"#, 1, second, 1),
        r#""a \"b\" \\ c";q=1;w=1"#
    );
}

#[test]
fn numbers_are_written_as_rust_writes_them() {
    for number in [0, 1, 9, 10, 99, 100, 12_345, u64::MAX] {
        let mut list = List::new();
        parameter(&mut list, b";r=", number);
        assert_eq!(*list, *format!(";r={number}").as_bytes());
    }
}
