use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use super::super::config::{
    DEFAULT_GRPC_ENDPOINT, DEFAULT_HTTP_ENDPOINT, DEFAULT_OTLP_TIMEOUT, Destination, OtlpProtocol,
    parse_endpoint, under,
};
use super::super::error::TelemetryError;
use super::super::tls::{TlsConfig, TlsError};
use super::super::transport::Signal;
use super::vars::{Vars, pairs};

/// Where the environment sends this signal. A variable with the signal's name goes before the
/// general one.
pub(super) fn read(vars: &Vars<'_>, signal: Signal) -> Result<Destination, TelemetryError> {
    let own = |setting: &str| format!("OTEL_EXPORTER_OTLP_{}_{setting}", signal.variable());
    let general = |setting: &str| format!("OTEL_EXPORTER_OTLP_{setting}");
    let name = |setting: &str| {
        let own = own(setting);
        if vars.get(&own).is_some() {
            own
        } else {
            general(setting)
        }
    };
    let protocol = vars
        .choice(
            &name("PROTOCOL"),
            &[
                ("http/protobuf", OtlpProtocol::HttpProtobuf),
                ("grpc", OtlpProtocol::Grpc),
            ],
        )
        .unwrap_or_default();
    Ok(Destination {
        uri: endpoint(
            vars,
            signal,
            protocol,
            &own("ENDPOINT"),
            &general("ENDPOINT"),
        )?,
        protocol,
        headers: headers(vars, &name("HEADERS"))?,
        timeout: vars
            .millis(&name("TIMEOUT"))?
            .unwrap_or(DEFAULT_OTLP_TIMEOUT),
        gzip: vars
            .choice(&name("COMPRESSION"), &[("gzip", true), ("none", false)])
            .unwrap_or(false),
        tls: tls(vars, &name)?,
    })
}

/// Certificates and keys, each in a file of its own.
fn tls(vars: &Vars<'_>, name: &impl Fn(&str) -> String) -> Result<TlsConfig, TelemetryError> {
    const PEM: &str = "a file of certificates in PEM form";
    const KEY: &str = "a file with a private key in PEM form";
    // What is in the file is nobody's to read in a message.
    let read = |variable: &str, expected: &str| match vars.get(variable) {
        Some(path) => match std::fs::read(&path) {
            Ok(pem) => Ok(Some((path, pem))),
            Err(error) => Err(TelemetryError::invalid(
                variable,
                path,
                format!("{expected}: {error}"),
            )),
        },
        None => Ok(None),
    };
    let mut tls = TlsConfig::new();
    let variable = name("CERTIFICATE");
    if let Some((path, pem)) = read(&variable, PEM)? {
        let invalid = |_| TelemetryError::invalid(&variable, path, PEM);
        tls = tls.with_root_certificates(&pem).map_err(invalid)?;
    }
    let (certificate, key) = (name("CLIENT_CERTIFICATE"), name("CLIENT_KEY"));
    match (read(&certificate, PEM)?, read(&key, KEY)?) {
        (Some((chain_path, chain)), Some((key_path, pem))) => tls
            .with_identity(&chain, &pem)
            .map_err(|error| match error {
                TlsError::Key => TelemetryError::invalid(&key, key_path, KEY),
                _ => TelemetryError::invalid(&certificate, chain_path, PEM),
            }),
        (None, None) => Ok(tls),
        (Some((path, _)), None) => {
            let expected = format!("enough without {key}");
            Err(TelemetryError::invalid(certificate, path, expected))
        }
        (None, Some((path, _))) => {
            let expected = format!("enough without {certificate}");
            Err(TelemetryError::invalid(key, path, expected))
        }
    }
}

/// The specification's "Endpoint URLs for OTLP/HTTP": the signal's own address is taken as it is,
/// and the signal's path is put under the general one.
fn endpoint(
    vars: &Vars<'_>,
    signal: Signal,
    protocol: OtlpProtocol,
    own: &str,
    general: &str,
) -> Result<Uri, TelemetryError> {
    if let Some(value) = vars.get(own) {
        return parse_endpoint(own, &with_scheme(vars, signal, protocol, value));
    }
    let base = match (vars.get(general), protocol) {
        (Some(value), _) => parse_endpoint(general, &with_scheme(vars, signal, protocol, value))?,
        (None, OtlpProtocol::HttpProtobuf) => parse_endpoint(general, DEFAULT_HTTP_ENDPOINT)?,
        (None, OtlpProtocol::Grpc) => parse_endpoint(general, DEFAULT_GRPC_ENDPOINT)?,
    };
    match protocol {
        OtlpProtocol::HttpProtobuf => under(general, &base, signal.http_path()),
        OtlpProtocol::Grpc => Ok(base),
    }
}

/// A gRPC address may come without a scheme; `OTEL_EXPORTER_OTLP_INSECURE` then says which it has.
fn with_scheme(vars: &Vars<'_>, signal: Signal, protocol: OtlpProtocol, address: String) -> String {
    if protocol != OtlpProtocol::Grpc || address.contains("://") {
        return address;
    }
    let switch = [("true", true), ("false", false)];
    let own = format!("OTEL_EXPORTER_OTLP_{}_INSECURE", signal.variable());
    let insecure = vars
        .choice(&own, &switch)
        .or_else(|| vars.choice("OTEL_EXPORTER_OTLP_INSECURE", &switch))
        .unwrap_or(false);
    let scheme = if insecure { "http" } else { "https" };
    format!("{scheme}://{address}")
}

/// The headers, which hold credentials: an error does not repeat them.
fn headers(vars: &Vars<'_>, name: &str) -> Result<HeaderMap, TelemetryError> {
    let Some(value) = vars.get(name) else {
        return Ok(HeaderMap::new());
    };
    let invalid = || TelemetryError::invalid(name, "(not shown)", "a list name=value,name=value");
    pairs(&value)
        .ok_or_else(invalid)?
        .into_iter()
        .map(|(key, value)| {
            let mut value = HeaderValue::try_from(value).map_err(|_| invalid())?;
            value.set_sensitive(true);
            Ok((HeaderName::try_from(key).map_err(|_| invalid())?, value))
        })
        .collect()
}
