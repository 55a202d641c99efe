use std::env;

use bartizan::config::{self, Loader};

/// What finds a service's settings, by its name in capitals, such as `GATEWAY`.
///
/// A variable counts before the file, and the file before the default. Variables begin with the
/// name and two underscores (`GATEWAY__SERVER__BIND` is `server.bind`); the file is the TOML file
/// that `GATEWAY_CONFIG` names, which then has to be there. What both may hold and how mistakes are
/// told is at [`bartizan::config`].
pub fn loader(name: &str) -> Loader {
    let loader = config::loader().with_env(name);
    match env::var_os(format!("{name}_CONFIG")) {
        Some(path) if !path.is_empty() => loader.with_file(path),
        _ => loader,
    }
}

/// Circuits to these upstreams open for a second at first, and for two at most: in a demo a service
/// is back as soon as that, and somebody waits for it to be seen.
pub fn with_breaker_defaults<const N: usize>(loader: Loader, upstreams: [&str; N]) -> Loader {
    upstreams.into_iter().fold(loader, |loader, upstream| {
        loader
            .with_default(&format!("{upstream}.breaker.open_time"), "1s")
            .with_default(&format!("{upstream}.breaker.max_open_time"), "2s")
    })
}
