//! What is right, and which of several counts.

use bartizan::config::{self, Loaded};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{File, Mode, Shop, load};

fn shop(test: &str, file: &str, vars: &[(&str, &str)]) -> Loaded<Shop> {
    load(test, file, vars).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_variable_counts_before_the_file_and_the_file_before_the_default() {
    for (case, file, vars, workers, source) in [
        ("neither", "name = 'x'", &[][..], 4, "default"),
        (
            "file",
            "name = 'x'\nworkers = 8",
            &[],
            8,
            "precedence.toml:2",
        ),
        (
            "variable",
            "name = 'x'",
            &[("SHOP__WORKERS", "16")],
            16,
            "SHOP__WORKERS",
        ),
        (
            "both",
            "name = 'x'\nworkers = 8",
            &[("SHOP__WORKERS", "16")],
            16,
            "SHOP__WORKERS",
        ),
        (
            "empty",
            "name = 'x'\nworkers = 8",
            &[("SHOP__WORKERS", "")],
            8,
            "precedence.toml:2",
        ),
        (
            "others'",
            "name = 'x'",
            &[
                ("WORKERS", "x"),
                ("SHOP_WORKERS", "x"),
                ("SHOPS__WORKERS", "x"),
            ],
            4,
            "default",
        ),
    ] {
        let loaded = shop("precedence", file, vars);
        assert_eq!(loaded.config.workers, workers, "{case}");
        let told = loaded.source("workers").to_string();
        assert!(told.ends_with(source), "{case}: {told}");
    }
}

#[test]
fn a_default_of_the_services_own_holds_where_nothing_else_is_set() {
    for (case, file, vars, bind, source) in [
        ("nothing", "", &[][..], "127.0.0.1:8082", "default"),
        (
            "another key of its table",
            "[server]\ngrace = '1s'",
            &[("SHOP__SERVER__BODY_LIMIT", "1KiB")],
            "127.0.0.1:8082",
            "default",
        ),
        (
            "the file",
            "[server]\nbind = '127.0.0.1:1'",
            &[],
            "127.0.0.1:1",
            "own-defaults.toml:2",
        ),
        (
            "a variable",
            "[server]\nbind = '127.0.0.1:1'",
            &[("SHOP__SERVER__BIND", "127.0.0.1:2")],
            "127.0.0.1:2",
            "SHOP__SERVER__BIND",
        ),
    ] {
        let file = File::new("own-defaults", file);
        let loaded = file
            .loader()
            .with_env("SHOP")
            .with_vars(vars.iter().copied())
            .with_default("name", "x")
            .with_default("stock.poll-interval", "7s")
            .with_default("server.bind", "127.0.0.1:8082")
            .load::<Shop>()
            .unwrap_or_else(|error| panic!("{case}: {error}"));
        assert_eq!(loaded.config.server.bind().to_string(), bind, "{case}");
        let told = loaded.source("server.bind").to_string();
        assert!(told.ends_with(source), "{case}: {told}");
        assert_eq!(loaded.config.name, "x", "{case}");
        assert_eq!(loaded.config.stock.poll_interval.as_secs(), 7, "{case}");
    }
}

#[test]
fn a_default_hides_no_mistake_and_is_checked_itself() {
    for (file, key, text, said) in [
        (
            "server = 5",
            "server.bind",
            "127.0.0.1:1",
            "server: `5` is not a table",
        ),
        (
            "[server.bind]\nport = 5",
            "server.bind",
            "127.0.0.1:1",
            "own-mistakes.toml:1: server.bind: expected an address and port such as 127.0.0.1:8080",
        ),
        (
            "",
            "server.bind",
            "here",
            "server.bind: `here` is not an address and port such as 127.0.0.1:8080",
        ),
        (
            "",
            "server.bund",
            "x",
            "server.bund: unknown key, expected one of bind",
        ),
    ] {
        let file = File::new("own-mistakes", file);
        let loader = file
            .loader()
            .with_default("name", "x")
            .with_default(key, text);
        let error = loader.load::<Shop>().unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn a_variable_is_read_as_the_type_that_is_wanted() {
    let vars = [
        ("SHOP__NAME", "12"),
        ("SHOP__RATIO", "0.5"),
        ("SHOP__TAGS", "a, b,3"),
        ("SHOP__MODE__CAREFUL__CHECKS", "3"),
        ("SHOP__LIMITS__ORDERS", "7"),
        ("SHOP__STOCK__POLL_INTERVAL", "1m30s"),
        ("SHOP__STOCK__CACHE", "64KiB"),
        ("SHOP__STOCK__API_KEY", "hunter2"),
        ("SHOP__SERVER__ADMIN__ENABLED", "false"),
    ];
    let Shop {
        name,
        ratio,
        tags,
        mode,
        limits,
        stock,
        server,
        ..
    } = shop("wanted", "limits = { orders = 1, stock = 2 }", &vars).config;
    assert_eq!((name.as_str(), ratio), ("12", Some(0.5)));
    assert_eq!(tags, ["a", "b", "3"]);
    assert_eq!(mode, Mode::Careful { checks: 3 });
    assert_eq!(limits.into_values().collect::<Vec<_>>(), [7, 2]);
    assert_eq!((stock.poll_interval.as_secs(), stock.cache), (90, 65_536));
    assert_eq!(stock.api_key.expose(), "hunter2");
    assert!(!server.admin().enabled);
}

#[test]
fn a_file_that_may_be_missing_is_not_missed() {
    let loader = config::loader().with_optional_file("/no/such/file.toml");
    let loaded = loader
        .with_env("SHOP")
        .with_vars([("SHOP__NAME", "x")])
        .load::<Shop>();
    assert_eq!(loaded.unwrap().config.name, "x");
}

#[test]
fn what_is_in_effect_is_told_with_its_source_and_without_secrets() {
    let file = "name = 'x'\n\n[stock]\nurl = 'http://shop:hunter2@stock'\napi-key = 'hunter2'\n";
    let vars = [("SHOP__TAGS", "a,b"), ("SHOP__STOCK__CACHE", "2MiB")];
    let loaded = shop("effective", file, &vars);
    assert!(
        !format!("{loaded:?}")
            .replace("shop:hunter2@", "")
            .contains("hunter2")
    );
    let effective = loaded.effective();
    let told = serde_json::to_value(&effective).unwrap();
    assert!(!told.to_string().contains("hunter2"), "{told}");
    for (key, value, source) in [
        ("name", json!("x"), "effective.toml:1"),
        ("workers", json!(4), "default"),
        ("ratio", Value::Null, "default"),
        ("tags", json!(["a", "b"]), "SHOP__TAGS"),
        ("stock.url", json!("http://***@stock"), "effective.toml:4"),
        ("stock.api-key", json!("***"), "effective.toml:5"),
        ("stock.cache", json!("2MiB"), "SHOP__STOCK__CACHE"),
        ("stock.poll-interval", json!("30s"), "default"),
        ("server.grace", json!("5s"), "default"),
        ("server.admin.bind", json!("127.0.0.1:9464"), "default"),
    ] {
        assert_eq!(told[key]["value"], value, "{key}");
        let told = told[key]["source"].as_str().unwrap();
        assert!(told.ends_with(source), "{key}: {told}");
        assert!(effective.get(key).is_some());
    }
}

#[test]
fn a_flattened_table_takes_what_toml_would_take_a_variable_for() {
    #[derive(Debug, Deserialize)]
    struct Outer {
        #[serde(flatten)]
        inner: Inner,
    }
    #[derive(Debug, Deserialize)]
    struct Inner {
        workers: u16,
        fast: bool,
        name: String,
    }
    let vars = [("SHOP__WORKERS", "300"), ("SHOP__FAST", "true")];
    let inner = load::<Outer>("flattened", "name = 'x'", &vars)
        .unwrap()
        .config
        .inner;
    assert_eq!(
        (inner.workers, inner.fast, inner.name.as_str()),
        (300, true, "x")
    );
}
