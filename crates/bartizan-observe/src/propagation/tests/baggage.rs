use opentelemetry::baggage::{Baggage, BaggageExt};

use super::*;
use crate::propagation::{MAX_BAGGAGE_BYTES, MAX_BAGGAGE_MEMBERS, extract_baggage};

fn baggage<'a>(lines: impl IntoIterator<Item = &'a str>) -> Option<Baggage> {
    extract_baggage(&headers(lines.into_iter().map(|line| ("baggage", line))))
}

/// The entries as `key=value;properties`, decoded and sorted.
fn entries<'a>(lines: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let baggage = baggage(lines);
    let mut entries: Vec<_> = baggage
        .iter()
        .flatten()
        .map(|(key, (value, properties))| match properties.as_str() {
            "" => format!("{key}={value}"),
            properties => format!("{key}={value};{properties}"),
        })
        .collect();
    entries.sort_unstable();
    entries
}

fn sent(baggage: Baggage) -> Option<String> {
    let mut headers = HeaderMap::new();
    inject(&Context::new().with_baggage(baggage), &mut headers);
    headers
        .get("baggage")
        .map(|line| line.to_str().unwrap().to_owned())
}

#[test]
fn lines_are_one_list() {
    assert_eq!(
        entries([
            "userId =   alice",
            "serverNode = DF%2028, isProduction = false"
        ]),
        ["isProduction=false", "serverNode=DF 28", "userId=alice"],
    );
}

#[test]
fn properties_stay_with_their_member() {
    assert_eq!(
        entries([
            "key1=value1;property1;property2, key2 = value2, key3=value3; propertyKey=propertyValue"
        ]),
        [
            "key1=value1;property1;property2",
            "key2=value2",
            "key3=value3;propertyKey=propertyValue"
        ],
    );
    assert_eq!(entries(["a=1 ; p\t=\tq%20r ;; s ;"]), ["a=1;p=q%20r;s"]);
}

#[test]
fn values_are_decoded_and_what_is_not_utf8_is_replaced() {
    assert_eq!(
        entries(["userId=Am%C3%A9lie,a=b=c==,b=%FF,c=100%,d=%zz,e=,f=%2c%3B%22"]),
        [
            "a=b=c==",
            "b=\u{fffd}",
            "c=100%",
            "d=%zz",
            "e=",
            "f=,;\"",
            "userId=Amélie"
        ],
    );
}

#[test]
fn of_equal_keys_the_last_stays() {
    assert_eq!(entries(["a=1,b=2,a=3;p", "a=4"]), ["a=4", "b=2"]);
    assert_eq!(entries(["a=1,A=2"]), ["A=2", "a=1"]);
}

#[test]
fn members_that_are_not_valid_are_dropped_alone() {
    for member in [
        "",
        " ",
        "a",
        "=",
        "=1",
        "a b=1",
        "a\"=1",
        "(a)=1",
        "a@b=1",
        "a/b=1",
        "a=b c",
        "a=\"b\"",
        "a=b\\c",
        "a=1;=",
        "a=1;=2",
        "a=1;p q",
        "a=1;p=q r",
        "a=1;\"p\"",
        ";a=1",
    ] {
        assert_eq!(entries([member]), [""; 0], "{member:?}");
        assert_eq!(
            entries([format!("x=1,{member},y=2").as_str()]),
            ["x=1", "y=2"],
            "{member:?}"
        );
    }
    let mut headers = headers([("baggage", "a=1")]);
    headers.append("baggage", HeaderValue::from_bytes(b"b=\xe9,c=3").unwrap());
    assert_eq!(extract_baggage(&headers).unwrap().len(), 2);
}

#[test]
fn no_baggage_is_none() {
    for lines in [&[] as &[&str], &[""], &[",,", " "], &["malformed"]] {
        assert!(baggage(lines.iter().copied()).is_none(), "{lines:?}");
    }
}

#[test]
fn as_many_members_as_allowed_are_taken_and_sent() {
    let line = |count| {
        (0..count)
            .map(|n| format!("k{n}=v;p"))
            .collect::<Vec<_>>()
            .join(",")
    };
    for count in [MAX_BAGGAGE_MEMBERS, MAX_BAGGAGE_MEMBERS + 1, 180] {
        let taken = baggage([line(count).as_str()]).unwrap();
        assert_eq!(taken.len(), MAX_BAGGAGE_MEMBERS);
        let sent = sent(taken).unwrap();
        assert_eq!(sent.split(',').count(), MAX_BAGGAGE_MEMBERS);
    }
}

#[test]
fn as_many_bytes_as_allowed_are_taken_and_sent() {
    let filled = |bytes: usize| format!("a=1,b={}", "=".repeat(bytes - "a=1,b=".len()));
    let line = filled(MAX_BAGGAGE_BYTES);
    let sent_line = sent(baggage([line.as_str()]).unwrap()).unwrap();
    assert_eq!(
        sent_line.len(),
        MAX_BAGGAGE_BYTES,
        "nothing is lost at the limit"
    );
    let over = filled(MAX_BAGGAGE_BYTES + 1);
    assert_eq!(
        entries([over.as_str()]),
        ["a=1"],
        "no part of a member is taken"
    );
    // Whitespace is not part of it.
    let spaced = line.replace(',', " \t ,   ");
    assert_eq!(baggage([spaced.as_str()]).unwrap().len(), 2);
}

#[test]
fn what_grows_over_the_limit_when_encoded_is_not_sent() {
    let mut baggage = Baggage::new();
    baggage.insert("big", " ".repeat(4000));
    assert_eq!(sent(baggage), None);
    let mut baggage = Baggage::new();
    baggage.insert("big", " ".repeat(4000));
    baggage.insert("small", "1");
    assert_eq!(sent(baggage).as_deref(), Some("small=1"));
}

#[test]
fn what_is_set_here_can_not_break_the_header() {
    let mut baggage = Baggage::new();
    baggage.insert_with_metadata("a", "x,y;z=\"\\%é\r\n", "p;q=1;bad one;\r\nx: y;é;=");
    assert_eq!(
        sent(baggage).as_deref(),
        Some("a=x%2Cy%3Bz=%22%5C%25%C3%A9%0D%0A;p;q=1")
    );
}

#[test]
fn it_goes_on_without_a_trace_too() {
    let sent = pass_on(&headers([("baggage", "a=1;p,b=%20")]));
    let mut members: Vec<_> = sent["baggage"].split(',').collect();
    members.sort_unstable();
    assert_eq!(members, ["a=1;p", "b=%20"]);
    assert_eq!(sent.len(), 1);
}
