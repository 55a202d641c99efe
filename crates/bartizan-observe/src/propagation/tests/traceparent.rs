use super::*;

/// The parent that one `traceparent` line gives.
fn parent(line: &str) -> Option<SpanContext> {
    read(&headers([("traceparent", line)]))
}

#[test]
fn a_valid_parent_is_taken_as_it_is() {
    let parent = parent(PARENT).unwrap();
    assert_eq!(parent.trace_id().to_string(), TRACE);
    assert_eq!(parent.span_id().to_string(), SPAN);
    assert_eq!(parent.trace_flags().to_u8(), 1);
    assert!(parent.is_remote());
    assert_eq!(parent.trace_state().into_iter().len(), 0);
}

#[test]
fn without_a_parent_there_is_none() {
    assert_eq!(read(&HeaderMap::new()), None);
    assert_eq!(read(&headers([("tracestate", "foo=1")])), None);
}

#[test]
fn several_parents_are_none() {
    let other = "00-0af7651916cd43dd8448eb211c80319d-b7ad6b7169203331-01";
    for second in [PARENT, other, "", "x"] {
        assert_eq!(
            read(&headers([("traceparent", PARENT), ("traceparent", second)])),
            None
        );
        assert_eq!(
            read(&headers([("traceparent", second), ("traceparent", PARENT)])),
            None
        );
    }
    assert_eq!(parent(&format!("{PARENT},{PARENT}")), None);
    assert_eq!(parent(&format!("{PARENT}, {PARENT}")), None);
}

#[test]
fn the_name_counts_in_any_case_and_no_other_name_does() {
    for name in ["traceparent", "TraceParent", "TrAcEpArEnT", "TRACEPARENT"] {
        assert!(read(&headers([(name, PARENT)])).is_some(), "{name}");
    }
    for name in [
        "trace-parent",
        "trace.parent",
        "traceparent2",
        "x-traceparent",
    ] {
        assert_eq!(read(&headers([(name, PARENT)])), None, "{name}");
    }
}

/// What is no `traceparent`, and why not.
const MALFORMED: &[(&str, &str)] = &[
    ("", "empty"),
    ("-", "no field"),
    ("00", "version alone"),
    ("00-", "version alone"),
    ("00-0af7651916cd43dd8448eb211c80319c", "no parent id"),
    (
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        "no flags",
    ),
    (
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-",
        "empty flags",
    ),
    // Version 00 is exactly 55 characters.
    (
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
        "trailing dash",
    ),
    (
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.",
        "trailing dot",
    ),
    (
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-00",
        "a fifth field",
    ),
    (
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-is-to-come",
        "more",
    ),
    // Version.
    (
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "version ff",
    ),
    (
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
        "version ff, longer",
    ),
    (
        ".0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "version is not hex",
    ),
    (
        "0.-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "version is not hex",
    ),
    (
        "CC-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "version in upper case",
    ),
    (
        "+0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "version with a sign",
    ),
    (
        "0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "version too short",
    ),
    (
        "-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "version empty",
    ),
    (
        "000-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "version too long",
    ),
    (
        "0000-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "version too long",
    ),
    // Trace id.
    (
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "trace id zero",
    ),
    (
        "00-.af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "trace id is not hex",
    ),
    (
        "00-0af7651916cd43dd8448eb211c80319.-b7ad6b7169203331-01",
        "trace id is not hex",
    ),
    (
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "trace id in upper case",
    ),
    (
        "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "trace id with a sign",
    ),
    (
        "00-0af7651916cd43dd8448eb211c80319cc-b7ad6b7169203331-01",
        "trace id too long",
    ),
    (
        "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01",
        "trace id too short",
    ),
    (
        "00-0af7651916cd43dd8448eb211c80319-bb7ad6b7169203331-01",
        "right length, wrong dash",
    ),
    // Parent id.
    (
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "parent id zero",
    ),
    (
        "00-0af7651916cd43dd8448eb211c80319c-.7ad6b7169203331-01",
        "parent id is not hex",
    ),
    (
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333.-01",
        "parent id is not hex",
    ),
    (
        "00-0af7651916cd43dd8448eb211c80319c-B7AD6B7169203331-01",
        "parent id in upper case",
    ),
    (
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b71692033311-01",
        "parent id too long",
    ),
    (
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333-01",
        "parent id too short",
    ),
    // Flags.
    (
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-.0",
        "flags are not hex",
    ),
    (
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0.",
        "flags are not hex",
    ),
    (
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0A",
        "flags in upper case",
    ),
    (
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-001",
        "flags too long",
    ),
    (
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1",
        "flags too short",
    ),
    // Separators and whitespace.
    (
        "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "first separator",
    ),
    (
        "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01",
        "second separator",
    ),
    (
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331_01",
        "third separator",
    ),
    (
        "00 -0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "a space within",
    ),
];

#[test]
fn malformed_parents_restart_the_trace() {
    for (line, why) in MALFORMED {
        assert_eq!(parent(line), None, "{why}: {line}");
    }
}

#[test]
fn bytes_beyond_ascii_restart_the_trace() {
    let mut line = PARENT.as_bytes().to_vec();
    for at in 0..line.len() {
        let before = std::mem::replace(&mut line[at], 0xe9);
        let mut headers = HeaderMap::new();
        headers.insert("traceparent", HeaderValue::from_bytes(&line).unwrap());
        assert_eq!(read(&headers), None, "at {at}");
        line[at] = before;
    }
    // Two characters would fit where four bytes are expected.
    let mut headers = HeaderMap::new();
    headers.insert(
        "traceparent",
        HeaderValue::from_bytes("00-éé".as_bytes()).unwrap(),
    );
    assert_eq!(read(&headers), None);
}

#[test]
fn a_line_that_is_not_text_still_makes_two_parents() {
    let mut headers = headers([("traceparent", PARENT)]);
    headers.append("traceparent", HeaderValue::from_bytes(b"\xff").unwrap());
    assert_eq!(extract(&headers), None);
}

#[test]
fn higher_versions_are_read_as_far_as_they_agree() {
    for line in [
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
        "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-is-to-come",
        "fe-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-WHAT.is=to come",
    ] {
        let parent = parent(line).unwrap();
        assert_eq!(parent.trace_id().to_string(), TRACE, "{line}");
        assert_eq!(
            pass_on(&headers([("traceparent", line)]))["traceparent"],
            PARENT
        );
    }
    for line in [
        "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
        "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.what-is-to-come",
        "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-011",
        "cc-00000000000000000000000000000000-b7ad6b7169203331-01",
        "cc-0af7651916cd43dd8448eb211c80319c-0000000000000000-01-x",
        "cc-0af7651916cd43dd8448eb211c80319C-b7ad6b7169203331-01-x",
        "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-.1-x",
    ] {
        assert_eq!(parent(line), None, "{line}");
    }
}

#[test]
fn whitespace_around_is_no_part_of_it() {
    for (before, after) in [(" ", ""), ("\t", ""), ("", " "), ("", "\t"), ("\t ", " \t")] {
        assert!(
            parent(&format!("{before}{PARENT}{after}")).is_some(),
            "{before:?} {after:?}"
        );
    }
}

#[test]
fn sampled_and_random_are_carried_on_and_no_other_flag() {
    for flags in 0..=u8::MAX {
        let start = &PARENT[..53];
        let line = format!("{start}{flags:02x}");
        assert_eq!(parent(&line).unwrap().trace_flags().to_u8(), flags & 3);
        let sent = pass_on(&headers([("traceparent", line.as_str())]));
        assert_eq!(sent["traceparent"], format!("{start}{:02x}", flags & 3));
    }
}
