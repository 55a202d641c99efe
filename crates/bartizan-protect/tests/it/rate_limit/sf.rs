//! Lists of RFC 9651, as strictly as it reads, of what `RateLimit` fields may have: strings with
//! parameters that are integers.

pub(super) type Item = (String, Vec<(String, u64)>);

/// # Panics
///
/// Where it is no such list.
pub(super) fn list(text: &str) -> Vec<Item> {
    let mut rest = text;
    let mut items = Vec::new();
    loop {
        items.push(item(&mut rest));
        if rest.is_empty() {
            return items;
        }
        rest = rest.trim_start_matches([' ', '\t']);
        rest = rest
            .strip_prefix(',')
            .unwrap_or_else(|| panic!("no comma: {rest:?} of {text:?}"));
        rest = rest.trim_start_matches([' ', '\t']);
    }
}

fn item(rest: &mut &str) -> Item {
    let name = string(rest);
    let mut parameters = Vec::new();
    while let Some(parameter) = rest.strip_prefix(';') {
        *rest = parameter.trim_start_matches(' ');
        let end = rest.find('=').unwrap();
        let key = &rest[..end];
        let is_key = |char: char| {
            char.is_ascii_lowercase() || char.is_ascii_digit() || "_-.*".contains(char)
        };
        assert!(
            key.starts_with(|char: char| char.is_ascii_lowercase() || char == '*'),
            "{key:?}"
        );
        assert!(key.chars().all(is_key), "{key:?}");
        *rest = &rest[end + 1..];
        let end = rest
            .find(|char: char| !char.is_ascii_digit())
            .unwrap_or(rest.len());
        assert!(
            (1..=15).contains(&end),
            "an integer has 1 to 15 digits: {rest:?}"
        );
        parameters.push((key.to_owned(), rest[..end].parse().unwrap()));
        *rest = &rest[end..];
    }
    (name, parameters)
}

fn string(rest: &mut &str) -> String {
    let mut chars = rest
        .strip_prefix('"')
        .unwrap_or_else(|| panic!("no string: {rest:?}"))
        .char_indices();
    let mut string = String::new();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => {
                *rest = &rest[at + 2..];
                return string;
            }
            '\\' => {
                let (_, escaped) = chars.next().unwrap();
                assert!(matches!(escaped, '"' | '\\'), "no escape: {escaped:?}");
                string.push(escaped);
            }
            ' '..='~' => string.push(char),
            other => panic!("no character of a string: {other:?}"),
        }
    }
    panic!("a string without an end: {rest:?}");
}

#[test]
fn it_takes_a_list_and_nothing_else() {
    let parsed = list("\"a \\\"b\\\" \\\\\";q=1;w=60, \"c\"");
    let parameters = vec![("q".to_owned(), 1), ("w".to_owned(), 60)];
    assert_eq!(
        parsed,
        [
            ("a \"b\" \\".to_owned(), parameters),
            ("c".to_owned(), vec![])
        ]
    );
    for wrong in [
        "",
        "a",
        "\"a",
        "\"a\",",
        "\"a\";Q=1",
        "\"a\";q=",
        "\"a\";q=1.5",
        "\"a\\b\"",
        "\"ä\"",
        "\"a\" \"b\"",
    ] {
        assert!(
            std::panic::catch_unwind(|| list(wrong)).is_err(),
            "{wrong:?}"
        );
    }
}
