use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::TelemetryResourceDetector;

const SERVICE_NAME: &str = "service.name";

/// What describes this service. The SDK's default resource is not used, because it reads the
/// environment by itself.
pub(super) fn build(name: Option<String>, attributes: Vec<KeyValue>) -> Resource {
    let given = attributes
        .iter()
        .any(|attribute| attribute.key.as_str() == SERVICE_NAME);
    let name = name.or_else(|| (!given).then(unknown_service));
    Resource::builder_empty()
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_attributes(attributes)
        .with_attributes(name.map(|name| KeyValue::new(SERVICE_NAME, name)))
        .build()
}

/// The semantic conventions' name for a service that was given none.
fn unknown_service() -> String {
    let exe = std::env::current_exe().ok();
    match exe.as_deref().and_then(|path| path.file_name()) {
        Some(name) => format!("unknown_service:{}", name.to_string_lossy()),
        None => "unknown_service".to_owned(),
    }
}
