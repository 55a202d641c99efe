use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use super::super::config::{
    DEFAULT_GRPC_ENDPOINT, DEFAULT_HTTP_ENDPOINT, DEFAULT_OTLP_TIMEOUT, Destination, OtlpProtocol,
    parse_endpoint, under,
};
use super::super::error::TelemetryError;
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
        )?
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
            .choice(&name("COMPRESSION"), &[("gzip", true), ("none", false)])?
            .unwrap_or(false),
    })
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
        return parse_endpoint(own, &value);
    }
    let base = match (vars.get(general), protocol) {
        (Some(value), _) => parse_endpoint(general, &value)?,
        (None, OtlpProtocol::HttpProtobuf) => parse_endpoint(general, DEFAULT_HTTP_ENDPOINT)?,
        (None, OtlpProtocol::Grpc) => parse_endpoint(general, DEFAULT_GRPC_ENDPOINT)?,
    };
    match protocol {
        OtlpProtocol::HttpProtobuf => under(general, &base, signal.http_path()),
        OtlpProtocol::Grpc => Ok(base),
    }
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
