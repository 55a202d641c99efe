use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::TelemetryResourceDetector;

const SERVICE_NAME: &str = "service.name";

/// What describes this service. The SDK's default resource is not used, because it reads the
/// environment by itself.
///
/// What was `detected` gives way to what was given.
pub(super) fn build(
    name: Option<&str>,
    attributes: Vec<KeyValue>,
    detected: Vec<KeyValue>,
) -> Resource {
    let name = service_name(name, &attributes);
    Resource::builder_empty()
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_attributes(detected)
        .with_attributes(attributes)
        .with_attribute(KeyValue::new(SERVICE_NAME, name))
        .build()
}

/// The name that was given by itself, or else among the attributes, or else one made up.
pub(super) fn service_name(name: Option<&str>, attributes: &[KeyValue]) -> String {
    let among = || {
        // Of several with one key the last counts.
        let mut named = attributes.iter().rev();
        let named = named.find(|attribute| attribute.key.as_str() == SERVICE_NAME);
        named.map(|attribute| attribute.value.to_string())
    };
    name.map(str::to_owned)
        .or_else(among)
        .unwrap_or_else(unknown_service)
}

/// The semantic conventions' name for a service that was given none.
fn unknown_service() -> String {
    let exe = std::env::current_exe().ok();
    match exe.as_deref().and_then(|path| path.file_name()) {
        Some(name) => format!("unknown_service:{}", name.to_string_lossy()),
        None => "unknown_service".to_owned(),
    }
}
