use super::*;
use crate::propagation::MAX_TRACESTATE_MEMBERS;

/// What is passed on of these `tracestate` lines beside a valid parent, which always stays.
fn state<'a>(lines: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let lines = lines.into_iter().map(|line| ("tracestate", line));
    let headers = headers(std::iter::once(("traceparent", PARENT)).chain(lines));
    assert_eq!(read(&headers).unwrap().trace_id().to_string(), TRACE);
    let mut sent = pass_on(&headers);
    assert_eq!(sent["traceparent"], PARENT);
    sent.remove("tracestate")
}

fn keeps(line: &str) {
    assert_eq!(state([line]).as_deref(), Some(line));
}

fn numbered(numbers: std::ops::RangeInclusive<usize>) -> String {
    numbers
        .map(|n| format!("bar{n:02}={n}"))
        .collect::<Vec<_>>()
        .join(",")
}

#[test]
fn it_is_inherited_with_a_valid_parent_only() {
    keeps("foo=1,bar=2");
    let sent = pass_on(&headers([("tracestate", "foo=1")]));
    assert!(sent.is_empty());
    let zero = "00-00000000000000000000000000000000-b7ad6b7169203331-01";
    assert!(pass_on(&headers([("traceparent", zero), ("tracestate", "foo=1")])).is_empty());
}

#[test]
fn the_name_counts_in_any_case_and_no_other_name_does() {
    for name in ["TraceState", "TrAcEsTaTe", "TRACESTATE"] {
        assert_eq!(
            pass_on(&headers([("traceparent", PARENT), (name, "foo=1")])).len(),
            2
        );
    }
    for name in ["trace-state", "trace.state"] {
        assert_eq!(
            pass_on(&headers([("traceparent", PARENT), (name, "foo=1")])).len(),
            1
        );
    }
}

#[test]
fn empty_lines_and_members_are_allowed_and_not_sent() {
    for lines in [&[""] as &[_], &[" "], &["", ""], &[",,"], &[" ,\t, "]] {
        assert_eq!(state(lines.iter().copied()), None, "{lines:?}");
    }
    for lines in [
        ["foo=1", ""],
        ["", "foo=1"],
        [" ", ",foo=1,"],
        ["\t,,", " , foo=1"],
    ] {
        assert_eq!(state(lines).as_deref(), Some("foo=1"), "{lines:?}");
    }
}

#[test]
fn several_lines_are_one_list_in_their_order() {
    let combined = state(["foo=1,bar=2", "rojo=1,congo=2", "baz=3"]);
    assert_eq!(
        combined.as_deref(),
        Some("foo=1,bar=2,rojo=1,congo=2,baz=3")
    );
}

#[test]
fn of_equal_keys_the_left_most_stays() {
    for lines in [
        &["foo=1,foo=1"] as &[_],
        &["foo=1,foo=2"],
        &["foo=1", "foo=1"],
        &["foo=1", "foo=2"],
    ] {
        assert_eq!(
            state(lines.iter().copied()).as_deref(),
            Some("foo=1"),
            "{lines:?}"
        );
    }
    assert_eq!(state(["a=1,b=2,a=3,c=4"]).as_deref(), Some("a=1,b=2,c=4"));
}

#[test]
fn whitespace_around_members_is_no_part_of_them() {
    for line in [
        "foo=1 \t , \t bar=2",
        "foo=1\t \t,\t \tbar=2",
        " foo=1,bar=2",
        "\t foo=1, bar=2 \t",
    ] {
        assert_eq!(state([line]).as_deref(), Some("foo=1,bar=2"), "{line:?}");
    }
    // Before a value it is.
    keeps("foo=  1,bar=2");
}

#[test]
fn all_allowed_characters_are_kept() {
    let key = "abcdefghijklmnopqrstuvwxyz0123456789_-*/";
    let value: String = (' '..='~').filter(|&c| c != ',' && c != '=').collect();
    keeps(&format!("{key}={value}"));
    keeps(&format!("{key}@a-z0-9_-*/={value}"));
    keeps("0digit=first,9@8=x");
}

#[test]
fn every_key_of_level_two_is_kept_also_where_the_api_refuses_it() {
    for key in [
        "fw529a3039@dt",
        "foo@",
        "foo@@bar",
        "foo@bar@baz",
        "t@vvvvvvvvvvvvvv",
        "t@vvvvvvvvvvvvvvv",
    ] {
        keeps(&format!("{key}=1"));
        keeps(&format!("a=1,{key}=2,b=3"));
        keeps(&format!("{key}=1,{key}x=2"));
    }
    keeps(&format!("foo=1,{}@v=1", "t".repeat(242)));
    keeps(&format!(
        "foo=1,{}@{}={}",
        "t".repeat(241),
        "v".repeat(14),
        "x".repeat(256)
    ));
}

#[test]
fn one_malformed_member_discards_all() {
    for member in [
        "foo",
        "=",
        "=1",
        "foo=",
        "foo= ",
        "foo=bar=baz",
        "foo==1",
        "foo =1",
        "FOO=1",
        "Foo=1",
        "foo.bar=1",
        "@foo=1",
        "_foo=1",
        "-foo=1",
        "*foo=1",
        "/foo=1",
        "foo;a=1",
        "f oo=1",
        "foo\t=1",
        "foo=a\tb",
        "fo\"o=1",
    ] {
        assert_eq!(state([member]), None, "{member:?}");
        assert_eq!(
            state([format!("bar=1,{member}").as_str()]),
            None,
            "{member:?}"
        );
        assert_eq!(state([member, "bar=1"]), None, "{member:?}");
    }
}

#[test]
fn bytes_beyond_ascii_discard_all() {
    for line in [b"foo=\xff" as &[u8], b"f\xc3\xa9=1", "foo=é".as_bytes()] {
        let mut headers = headers([("traceparent", PARENT)]);
        headers.append("tracestate", HeaderValue::from_bytes(line).unwrap());
        let parent = read(&headers).unwrap();
        assert_eq!(parent.trace_state().into_iter().len(), 0, "{line:?}");
    }
}

#[test]
fn keys_and_values_end_at_256_characters() {
    keeps(&format!("foo=1,{}=1", "z".repeat(256)));
    keeps(&format!("foo=1,bar={}", "v".repeat(256)));
    assert_eq!(state(["foo=1", &format!("{}=1", "z".repeat(257))]), None);
    assert_eq!(state(["foo=1", &format!("bar={}", "v".repeat(257))]), None);
}

#[test]
fn there_are_32_members_at_most() {
    let lines = [numbered(1..=10), numbered(11..=20), numbered(21..=30)];
    let lines = || lines.iter().map(String::as_str);
    let all = state(lines().chain(["bar31=31,bar32=32"])).unwrap();
    assert_eq!(all, numbered(1..=MAX_TRACESTATE_MEMBERS));
    assert_eq!(state(lines().chain(["bar31=31,bar32=32,bar33=33"])), None);
    assert_eq!(state(lines().chain(["bar31=31,bar32=32,bar01=1"])), None);
    assert_eq!(
        state(lines().chain([",", "", "bar31=31,,bar32=32,"])).unwrap(),
        all
    );
}

#[test]
fn more_than_512_characters_are_kept() {
    let long: Vec<_> = (0..32).map(|n| format!("{n:0>200}={n:a>200}")).collect();
    keeps(&long.join(","));
}
