//! Properties of the parsers over arbitrary bytes and over nearly valid text.

use opentelemetry::baggage::{Baggage, BaggageExt};
use opentelemetry::trace::{SpanId, TraceFlags, TraceId};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::propagation::traceparent::Traceparent;
use crate::propagation::tracestate::Members;
use crate::propagation::{
    MAX_BAGGAGE_BYTES, MAX_BAGGAGE_MEMBERS, MAX_TRACESTATE_MEMBERS, Network, extract_baggage,
};

const NAMES: [&str; 3] = ["traceparent", "tracestate", "baggage"];

/// Text that is often a field or nearly one.
fn field() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..80),
        "[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-.{0,5})?".prop_map(String::into_bytes),
        "[ \t]?[0-9a-gA-F]{1,3}-[0-9a-f]{31,33}-[0-9a-f]{15,17}-[0-9a-f]{1,3}-?"
            .prop_map(String::into_bytes),
        "([ \t]?[a-c0@]{0,3}=[ -~]{0,3}[ \t]?,){0,40}".prop_map(String::into_bytes),
        "([a-c]{1,2} ?= ?[!-~]{0,4}(;[a-z]=?[a-z]?){0,2},){0,80}".prop_map(String::into_bytes),
    ]
}

fn any_headers() -> impl Strategy<Value = HeaderMap> {
    vec((0..NAMES.len(), field()), 0..5).prop_map(|lines| {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                headers.append(NAMES[name], value);
            }
        }
        headers
    })
}

fn pairs(baggage: &Baggage) -> Vec<(String, String, String)> {
    let mut pairs: Vec<_> = baggage
        .iter()
        .map(|(key, (value, data))| (key.to_string(), value.to_string(), data.to_string()))
        .collect();
    pairs.sort_unstable();
    pairs
}

proptest! {
    #[test]
    fn bytes_never_panic_the_parsers(bytes in field()) {
        if let Some(parent) = Traceparent::parse(&bytes) {
            prop_assert!(parent.trace_id != TraceId::INVALID && parent.span_id != SpanId::INVALID);
            prop_assert!(parent.flags.to_u8() <= 3);
        }
        if let Some(members) = Members::parse([bytes.as_slice()].into_iter()) {
            prop_assert!(members.as_slice().len() <= MAX_TRACESTATE_MEMBERS);
        }
        if let Ok(text) = str::from_utf8(&bytes) {
            let _ = text.parse::<Network>();
        }
    }

    #[test]
    fn parents_round_trip(trace_id in 1_u128.., span_id in 1_u64.., flags in 0..=3_u8) {
        let parent = Traceparent {
            trace_id: TraceId::from(trace_id),
            span_id: SpanId::from(span_id),
            flags: TraceFlags::new(flags),
        };
        let line = parent.format();
        prop_assert_eq!(
            str::from_utf8(&line).unwrap(),
            format!("00-{trace_id:032x}-{span_id:016x}-{flags:02x}")
        );
        prop_assert_eq!(Traceparent::parse(&line), Some(parent));
    }

    #[test]
    fn a_parent_is_exactly_what_the_grammar_says(bytes in field()) {
        let line = super::super::trim_ows(&bytes);
        let is_hex = |range: std::ops::Range<usize>| {
            line[range].iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let expected = line.len() >= 55
            && is_hex(0..2) && is_hex(3..35) && is_hex(36..52) && is_hex(53..55)
            && [2, 35, 52].iter().all(|&at| line[at] == b'-')
            && line[3..35] != [b'0'; 32] && line[36..52] != [b'0'; 16]
            && match &line[..2] {
                b"00" => line.len() == 55,
                b"ff" => false,
                _ => line.len() == 55 || line[55] == b'-',
            };
        prop_assert_eq!(Traceparent::parse(&bytes).is_some(), expected);
    }

    #[test]
    fn states_of_valid_members_round_trip(
        members in proptest::collection::hash_map("[a-z0-9][a-z0-9_*/@-]{0,20}", "[ -+.-<>-~]{0,20}[!-+.-<>-~]", 1..=32),
    ) {
        let members: Vec<_> = members.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let line = members.join(",");
        let sent = pass_on(&headers([("traceparent", PARENT), ("tracestate", line.as_str())]));
        prop_assert_eq!(&sent["tracestate"], &line);
    }

    #[test]
    fn what_is_sent_reads_back_the_same(received in any_headers()) {
        let cx = Remote::extract(&received, Trust::Trust).into_context(&Context::new());
        let mut sent = HeaderMap::new();
        inject(&cx, &mut sent);
        prop_assert_eq!(extract(&sent), extract(&received));
        let mut again = HeaderMap::new();
        inject(&Remote::extract(&sent, Trust::Trust).into_context(&Context::new()), &mut again);
        prop_assert_eq!(again.get("traceparent"), sent.get("traceparent"));
        prop_assert_eq!(again.get("tracestate"), sent.get("tracestate"));
        let taken = extract_baggage(&received).unwrap_or_default();
        if let Some(read_back) = extract_baggage(&sent) {
            prop_assert_eq!(pairs(&read_back), pairs(&taken));
        } else {
            prop_assert!(taken.is_empty());
        }
    }

    #[test]
    fn a_baggage_of_any_text_is_sent_within_its_limits_and_reads_back(
        entries in vec(("[a-z]{1,8}", ".{0,60}", "[a-z;= ,\r\n]{0,20}"), 0..80),
    ) {
        let mut baggage = Baggage::new();
        for (key, value, metadata) in entries {
            baggage.insert_with_metadata(key, value, metadata.as_str());
        }
        let given = pairs(&baggage);
        let cx = Context::new().with_baggage(baggage);
        let mut sent = HeaderMap::new();
        inject(&cx, &mut sent);
        let bytes = sent.get("baggage").map_or(0, HeaderValue::len);
        prop_assert!(bytes <= MAX_BAGGAGE_BYTES);
        let read_back = extract_baggage(&sent).unwrap_or_default();
        prop_assert!(read_back.len() <= MAX_BAGGAGE_MEMBERS);
        // Whole members or none: each one that arrives is as it was given.
        for (key, value, _) in pairs(&read_back) {
            prop_assert!(given.iter().any(|entry| entry.0 == key && entry.1 == value), "{}", key);
        }
        if bytes > 0 {
            let line = sent["baggage"].to_str().unwrap();
            prop_assert_eq!(line.split(',').count(), read_back.len());
        }
    }

    #[test]
    fn a_taken_baggage_is_within_its_limits(lines in vec("([a-z0-9]{1,4}=[a-z%]{0,200}(;[a-z]{1,9})?,){0,60}", 0..4)) {
        let taken = extract_baggage(&headers(lines.iter().map(|line| ("baggage", line.as_str()))));
        let taken = pairs(&taken.unwrap_or_default());
        prop_assert!(taken.len() <= MAX_BAGGAGE_MEMBERS);
        let bytes: usize = taken.iter().map(|(key, value, data)| key.len() + value.len() + data.len()).sum();
        prop_assert!(bytes <= MAX_BAGGAGE_BYTES);
    }
}
