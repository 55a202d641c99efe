//! What is wrong, all of it at once.

use std::ffi::OsString;

use bartizan::config::{self, ConfigProblem, Secret};
use serde::Deserialize;

use super::{Shop, problems};

#[test]
fn everything_that_is_wrong_is_told_at_once_with_its_line() {
    let file = r#"
name = 7
wrokers = 8
tags = ["a", 2, "c", false]
mode = "quick"

[limits]
orders = -1
stock = 4294967296

[stock]
poll-interval = "often"
cache = "64K"
colour = "red"

[server]
grace = "1h"
body_limit = 0
"#;
    let vars = [
        ("SHOP__WORKERS", "65"),
        ("SHOP__RATIO", "half"),
        ("SHOP__STOCK__URLL", "x"),
        ("SHOP__SERVER__BIND", "8080"),
    ];
    let found = problems::<Shop>("everything", file, &vars);
    let expected = [
        "shop.toml:2: name: `7` is not a string",
        "shop.toml:3: wrokers: unknown key, expected one of name, workers, ratio, tags, mode, limits, stock, server",
        "shop.toml:4: tags[1]: `2` is not a string",
        "shop.toml:4: tags[3]: `false` is not a string",
        "shop.toml:5: mode: `quick` is not one of fast, careful",
        "shop.toml:8: limits.orders: `-1` is not an integer from 0 to 4294967295",
        "shop.toml:9: limits.stock: `4294967296` is not an integer from 0 to 4294967295",
        "shop.toml:12: stock.poll-interval: `often` is not a duration such as 250ms, 15s or 1h30m",
        "shop.toml:13: stock.cache: `64K` is not a size such as 512, 64KiB or 10MB",
        "shop.toml:14: stock.colour: unknown key, expected one of url, poll-interval, cache, api-key",
        "shop.toml:17: server.grace: `1h` is not a duration such as 250ms, 15s or 1h30m, from 0s to 10m",
        "shop.toml:18: server.body_limit: `0` is not a size such as 512, 64KiB or 10MB, from 1B to 1GiB",
        "SHOP__RATIO: ratio: `half` is not a number",
        "SHOP__SERVER__BIND: server.bind: `8080` is not an address and port such as 127.0.0.1:8080",
        "SHOP__STOCK__URLL: stock.urll: unknown key, expected one of url, poll-interval, cache, api-key",
        "SHOP__WORKERS: workers: `65` is not from 1 to 64",
    ];
    assert_eq!(found, expected, "{found:#?}");
}

#[test]
fn one_problem_is_a_sentence_and_several_are_a_list() {
    let told = |file| {
        let error = super::load::<Shop>("told", file, &[]).unwrap_err();
        let directory = format!("{}/told", env!("CARGO_TARGET_TMPDIR"));
        error.to_string().replace(&directory, "shop")
    };
    assert_eq!(told("name = 7"), "shop.toml:1: name: `7` is not a string");
    assert_eq!(
        told("name = 7\nratio = true"),
        "the configuration has 2 problems:\n  \
         shop.toml:1: name: `7` is not a string\n  \
         shop.toml:2: ratio: `true` is not a number"
    );
}

#[test]
fn every_kind_of_mistake_names_what_is_allowed() {
    for (file, vars, expected) in [
        // Missing.
        (
            "",
            &[][..],
            "name: missing, and there is no variable SHOP__NAME",
        ),
        // Types.
        (
            "name = 'x'\nserver = 1",
            &[],
            "shop.toml:2: server: `1` is not a table",
        ),
        (
            "name = 'x'\n[tags]\na = 1",
            &[],
            "shop.toml:2: tags: expected a list",
        ),
        ("[name]\na = 1", &[], "shop.toml:1: name: expected a string"),
        (
            "name = 'x'",
            &[("SHOP__SERVER", "x")],
            "SHOP__SERVER: server: `x` is not a table",
        ),
        (
            "name = 'x'",
            &[("SHOP__WORKERS__MAX", "1")],
            "SHOP__WORKERS__MAX: workers: expected an integer from 0 to 255",
        ),
        (
            "name = 'x'\nworkers = 99999999999999999999999999999999999999999",
            &[],
            "shop.toml:2: workers: `99999999999999999999999999999999999999999` is not an integer from 0 to 255",
        ),
        (
            "name = 'x'\nworkers = 8.0",
            &[],
            "shop.toml:2: workers: `8.0` is not an integer from 0 to 255",
        ),
        (
            "name = 'x'",
            &[("SHOP__SERVER__ADMIN__ENABLED", "yes")],
            "SHOP__SERVER__ADMIN__ENABLED: server.admin.enabled: `yes` is not true or false",
        ),
        (
            "name = 'x'\n[mode]\ncareful = { checks = 1 }\nfast = {}",
            &[],
            "shop.toml:2: mode: expected one of fast, careful",
        ),
        (
            "name = 'x'\nmode = { careful = { cheks = 1 } }",
            &[],
            "shop.toml:2: mode.careful.cheks: unknown key, expected checks",
        ),
        // In a list of the environment's.
        (
            "name = 'x'",
            &[("SHOP__SERVER__CORS__ORIGINS", "https://a.example,here")],
            "SHOP__SERVER__CORS__ORIGINS: server.cors.origins[1]: `here` is not an origin such as https://shop.example, in lower case, or *",
        ),
        // Names of variables.
        (
            "name = 'x'",
            &[("SHOP__SERVER____BIND", "x")],
            "SHOP__SERVER____BIND: no key, since a part of the name is empty",
        ),
        // Syntax, without what the line says.
        (
            "name = 'x'\npassword = \"hunter2",
            &[],
            "shop.toml:2: not TOML: invalid basic string, expected `\"`",
        ),
        (
            "name = 'x'\nname = 'y'",
            &[],
            "shop.toml:2: not TOML: duplicate key",
        ),
    ] {
        let found = problems::<Shop>("kinds", file, vars);
        assert!(
            found.iter().any(|found| found == expected),
            "{expected}\n  {found:#?}"
        );
    }
}

#[test]
fn a_value_that_was_left_out_makes_no_further_problems() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "it is never made")]
    struct Outer {
        pair: (u8, u8),
        inner: Inner,
        after: u8,
    }
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "it is never made")]
    struct Inner {
        required: u8,
        other: u8,
    }
    let file = "pair = [1, 'x']\ninner = { required = 'x', other = 1 }\nafter = 'x'";
    let found = problems::<Outer>("consequences", file, &[]);
    let keys: Vec<_> = found
        .iter()
        .map(|found| found.split(": ").nth(1).unwrap())
        .collect();
    assert_eq!(keys, ["pair[1]", "inner.required", "after"], "{found:#?}");
}

#[test]
fn the_value_of_a_secret_is_in_no_error() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "it is never made")]
    struct Keys {
        wrapped: Secret<u8>,
        inner: Secret<Inner>,
        api_key: u8,
        checked: Secret<Checked>,
    }
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "it is never made")]
    struct Inner {
        code: u8,
    }
    #[derive(Debug, Deserialize)]
    #[serde(try_from = "String")]
    struct Checked;
    impl TryFrom<String> for Checked {
        type Error = String;

        fn try_from(text: String) -> Result<Self, String> {
            Err(format!("{text} is too weak"))
        }
    }

    let file = "wrapped = 'hunter2'\ninner.code = 'hunter2'\napi_key = 'hunter2'\nchecked = 'hunter2'\npasword = 'hunter2'";
    let found = problems::<Keys>("secrets", file, &[("SHOP__API_KEYY", "hunter2")]);
    assert_eq!(found.len(), 6, "{found:#?}");
    assert!(
        !found.iter().any(|found| found.contains("hunter2")),
        "{found:#?}"
    );
}

#[test]
fn a_file_that_has_to_be_there_and_is_not_is_named() {
    let error = config::loader()
        .with_file("/no/such/file.toml")
        .load::<Shop>()
        .unwrap_err();
    let told = error.to_string();
    assert!(
        told.starts_with("/no/such/file.toml: the file cannot be read: "),
        "{told}"
    );
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_unicode_is_named() {
    use std::os::unix::ffi::OsStringExt;

    let raw = OsString::from_vec(vec![b'8', 0xff]);
    let loader = config::loader()
        .with_env("SHOP")
        .with_vars([("SHOP__NAME", raw)]);
    let error = loader.load::<Shop>().unwrap_err();
    assert_eq!(error.to_string(), "SHOP__NAME: the value is not Unicode");
}

#[test]
fn a_long_or_odd_value_stays_on_its_line() {
    let file = format!("name = 'x'\nmode = \"{}\\n\"", "y".repeat(500));
    let found = problems::<Shop>("long", &file, &[]);
    assert!(
        found[0].len() < 200 && !found[0].contains('\n'),
        "{found:?}"
    );
    let found = problems::<Shop>("odd", "name = 'x'\nmode = \"\\u0007\\n\"", &[]);
    assert!(found[0].contains("`\\u{7}\\n` is not"), "{found:?}");
}

#[test]
fn a_problem_can_be_looked_at_in_parts() {
    let error = super::load::<Shop>("parts", "name = 'x'\nworkers = 0", &[]).unwrap_err();
    let [
        ConfigProblem {
            source,
            key,
            value,
            wrong,
            ..
        },
    ] = error.problems()
    else {
        panic!("{error}");
    };
    assert!(source.to_string().ends_with("parts.toml:2"));
    assert_eq!((key.as_str(), value.as_deref()), ("workers", Some("0")));
    assert_eq!(wrong, "is not from 1 to 64");
}
