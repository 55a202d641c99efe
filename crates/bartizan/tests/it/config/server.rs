//! Bartizan's own section.

use std::time::Duration;

use bartizan::config::{CorsConfig, DEFAULT_BIND, ServerConfig};
use bartizan::{DEFAULT_GRACE, DRAIN_DEADLINE, admin, edge};
use serde::{Deserialize, Serialize};

use super::{first_toml, load, problems};

#[derive(Debug, Deserialize, Serialize)]
struct Only {
    #[serde(default)]
    server: ServerConfig,
}

fn server(test: &str, file: &str) -> ServerConfig {
    let loaded = load::<Only>(test, file, &[]);
    loaded
        .unwrap_or_else(|error| panic!("{error}"))
        .config
        .server
}

#[test]
fn nothing_set_gives_the_defaults() {
    for config in [
        server("defaults", ""),
        server("defaults-2", "[server]"),
        ServerConfig::default(),
    ] {
        assert_eq!(config, ServerConfig::default());
        assert_eq!(config.bind(), DEFAULT_BIND);
        assert_eq!(
            (config.grace(), config.drain_deadline()),
            (DEFAULT_GRACE, DRAIN_DEADLINE)
        );
        assert_eq!(
            config.shutdown_deadline(),
            bartizan::telemetry::DEFAULT_SHUTDOWN_DEADLINE
        );
        assert_eq!(config.body_limit(), edge::DEFAULT_BODY_LIMIT);
        let admin = config.admin();
        assert_eq!(
            (admin.enabled, admin.bind),
            (true, admin::DEFAULT_ADMIN_BIND)
        );
        assert_eq!(config.cors(), CorsConfig::Off);
    }
}

/// The example in the documentation.
#[test]
fn the_documented_section_is_the_default_one() {
    let source = include_str!("../../../src/config/server/mod.rs");
    let toml = first_toml(source);
    assert!(toml.contains("[server.cors]"), "{toml}");
    assert_eq!(server("documented", &toml), ServerConfig::default());
}

#[test]
fn everything_can_be_set() {
    let file = r#"
[server]
bind = "[::1]:0"
grace = "0s"
drain_deadline = "1h"
shutdown_deadline = "500ms"
body_limit = "1GiB"
decompression = true
catch_panic = true
sensitive_headers = ["X-Api-Key"]
admin = { enabled = false, bind = "127.0.0.1:1" }
cors = { origins = ["https://shop.example", "http://localhost:3000"], credentials = true, max_age = "1h" }
"#;
    let config = server("set", file);
    assert_eq!(config.bind().to_string(), "[::1]:0");
    assert_eq!(
        (config.grace(), config.drain_deadline()),
        (Duration::ZERO, Duration::from_secs(3600))
    );
    assert_eq!(config.shutdown_deadline(), Duration::from_millis(500));
    assert_eq!(config.body_limit(), 1 << 30);
    assert!(!config.admin().enabled);
    let CorsConfig::Origins {
        origins,
        credentials,
        max_age,
        ..
    } = config.cors()
    else {
        panic!("{:?}", config.cors());
    };
    assert_eq!(
        origins.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["https://shop.example", "http://localhost:3000"]
    );
    assert_eq!((credentials, max_age), (true, Duration::from_secs(3600)));
    // What is written is read back.
    let json = serde_json::to_value(&config).unwrap();
    assert_eq!(
        serde_json::from_value::<ServerConfig>(json).unwrap(),
        config
    );
}

#[test]
fn what_only_goes_wrong_together_is_told_at_the_section() {
    for (section, expected) in [
        (
            "bind = '127.0.0.1:9464'",
            "server: bind and admin.bind are both 127.0.0.1:9464, expected two addresses",
        ),
        (
            "cors.origins = ['*', 'https://a.example']",
            "server: cors.origins has `*` and others, expected one or the other",
        ),
        (
            "cors = { origins = ['*'], credentials = true }",
            "server: cors.credentials is true with cors.origins `*`, which browsers do not allow; expected a list of origins",
        ),
    ] {
        let file = format!("\n[server]\n{section}\n");
        let found = problems::<Only>("together", &file, &[]);
        assert_eq!(found, [format!("shop.toml:2: {expected}")]);
    }
    // Any free port twice is two ports.
    server(
        "free",
        "[server]\nbind = '127.0.0.1:0'\nadmin.bind = '127.0.0.1:0'",
    );
    // No admin is no conflict.
    server(
        "off",
        "[server]\nbind = '127.0.0.1:9464'\nadmin.enabled = false",
    );
}
