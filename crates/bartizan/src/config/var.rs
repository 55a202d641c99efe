use std::env::VarError;

/// An environment variable has a value that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: `{value}` is not {expected}")]
pub struct InvalidVar {
    name: &'static str,
    value: String,
    expected: &'static str,
}

/// Reads one variable through `source`, which is [`std::env::var`] in a program and a closure in a
/// test; `default` is parsed in its place where it is unset or empty, which mean the same, as they
/// do to OpenTelemetry's own variables.
///
/// # Errors
///
/// When the value is not Unicode or `parse` gives `None`. The error names the variable, what was
/// `expected` and the value, so secrets should not be read this way.
///
/// ```
/// use std::env;
/// use std::net::SocketAddr;
///
/// use bartizan::config;
///
/// const EXPECTED: &str = "an address and port such as 127.0.0.1:8080";
/// let bind: SocketAddr = config::var(
///     env::var,
///     "MY_SERVICE_BIND",
///     "127.0.0.1:8080",
///     EXPECTED,
///     |text| text.parse().ok(),
/// )?;
/// assert_eq!(bind.port(), 8080);
///
/// let wrong = config::var(|_| Ok("here".to_owned()), "MY_SERVICE_BIND", "", EXPECTED, |text| {
///     text.parse::<SocketAddr>().ok()
/// });
/// assert_eq!(
///     wrong.unwrap_err().to_string(),
///     "MY_SERVICE_BIND: `here` is not an address and port such as 127.0.0.1:8080"
/// );
/// # Ok::<(), config::InvalidVar>(())
/// ```
pub fn var<T>(
    source: impl FnOnce(&'static str) -> Result<String, VarError>,
    name: &'static str,
    default: &str,
    expected: &'static str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, InvalidVar> {
    let invalid = |value, expected| InvalidVar {
        name,
        value,
        expected,
    };
    let value = match source(name) {
        Ok(value) if !value.is_empty() => value,
        Ok(_) | Err(VarError::NotPresent) => default.to_owned(),
        Err(VarError::NotUnicode(raw)) => {
            return Err(invalid(raw.to_string_lossy().into_owned(), "valid Unicode"));
        }
    };
    parse(&value).ok_or_else(|| invalid(value, expected))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn port(set: Result<&str, VarError>) -> Result<u16, InvalidVar> {
        let source = |_| set.map(str::to_owned);
        var(source, "PORT", "80", "a port", |text| text.parse().ok())
    }

    #[test]
    fn a_value_is_parsed_and_the_default_where_there_is_none() {
        assert_eq!(port(Ok("8080")), Ok(8080));
        assert_eq!(port(Ok("")), Ok(80));
        assert_eq!(port(Err(VarError::NotPresent)), Ok(80));
    }

    #[test]
    fn a_bad_value_is_named_with_what_is_allowed() {
        let error = port(Ok("high")).unwrap_err();
        assert_eq!(error.to_string(), "PORT: `high` is not a port");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_not_unicode_is_an_error_and_not_the_default() {
        use std::os::unix::ffi::OsStringExt;

        let raw = OsString::from_vec(vec![b'8', 0xff]);
        let error = port(Err(VarError::NotUnicode(raw))).unwrap_err();
        assert_eq!(error.to_string(), "PORT: `8\u{fffd}` is not valid Unicode");
    }
}
