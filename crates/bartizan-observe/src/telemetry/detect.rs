//! What describes this process, its host and its container, by the semantic conventions for
//! resources. Whatever can't be found out is left out.

use std::env;
use std::fs;

use opentelemetry::KeyValue;

use super::ids;

/// The downward API's variables, as the documentation of Kubernetes and its OpenTelemetry operator
/// name them.
const KUBERNETES: [(&str, &[&str]); 6] = [
    (
        "k8s.pod.name",
        &[
            "POD_NAME",
            "K8S_POD_NAME",
            "OTEL_RESOURCE_ATTRIBUTES_POD_NAME",
        ],
    ),
    (
        "k8s.pod.uid",
        &["POD_UID", "K8S_POD_UID", "OTEL_RESOURCE_ATTRIBUTES_POD_UID"],
    ),
    ("k8s.namespace.name", &["POD_NAMESPACE", "K8S_NAMESPACE"]),
    (
        "k8s.node.name",
        &[
            "NODE_NAME",
            "K8S_NODE_NAME",
            "OTEL_RESOURCE_ATTRIBUTES_NODE_NAME",
        ],
    ),
    ("k8s.deployment.name", &["K8S_DEPLOYMENT_NAME"]),
    (
        "k8s.container.name",
        &["CONTAINER_NAME", "K8S_CONTAINER_NAME"],
    ),
];

/// Everything that can be found out here.
pub(super) fn all() -> Vec<KeyValue> {
    let mut found = vec![KeyValue::new("service.instance.id", instance_id())];
    process(&mut found);
    host(&mut found);
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let container = container_id(&read("/proc/self/cgroup"), &read("/proc/self/mountinfo"));
    found.extend(container.map(|id| KeyValue::new("container.id", id)));
    kubernetes(|name| env::var(name).ok(), &mut found);
    found
}

/// A random UUID, anew for each process, as the conventions want it where nothing else is unique.
fn instance_id() -> String {
    uuid::Builder::from_random_bytes(ids::random_u128().to_be_bytes())
        .into_uuid()
        .to_string()
}

fn process(found: &mut Vec<KeyValue>) {
    found.push(KeyValue::new("process.pid", i64::from(std::process::id())));
    if let Ok(path) = env::current_exe() {
        if let Some(name) = path.file_name() {
            let name = name.to_string_lossy().into_owned();
            found.push(KeyValue::new("process.executable.name", name));
        }
        let path = path.to_string_lossy().into_owned();
        found.push(KeyValue::new("process.executable.path", path));
    }
    // The arguments are left out: they are where secrets are, when they are anywhere.
}

fn host(found: &mut Vec<KeyValue>) {
    let read = |path: &str| {
        let text = fs::read_to_string(path).ok()?;
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    if let Some(name) = read("/proc/sys/kernel/hostname").or_else(|| env::var("HOSTNAME").ok()) {
        found.push(KeyValue::new("host.name", name));
    }
    if let Some(id) = read("/etc/machine-id") {
        found.push(KeyValue::new("host.id", id));
    }
    found.push(KeyValue::new("host.arch", architecture(env::consts::ARCH)));
    let system = match env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    found.push(KeyValue::new("os.type", system));
}

/// Rust's name for a processor as the conventions have it.
fn architecture(rust: &'static str) -> &'static str {
    match rust {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "arm" => "arm32",
        "powerpc" => "ppc32",
        "powerpc64" => "ppc64",
        other => other,
    }
}

/// The id that the container runtime gave: from the path of the control group (version 1), or else
/// from where the runtime mounts the container's files.
fn container_id(cgroup: &str, mountinfo: &str) -> Option<String> {
    let by_group = cgroup
        .lines()
        .filter_map(|line| line.rsplit(['/', ':']).next())
        .map(|name| name.strip_suffix(".scope").unwrap_or(name))
        .filter_map(|name| name.rsplit('-').next())
        .find(|name| is_id(name));
    let by_mount = || {
        mountinfo
            .lines()
            .filter(|line| line.contains("/containers/") || line.contains("/sandboxes/"))
            .flat_map(|line| line.split('/'))
            .find(|part| is_id(part))
    };
    by_group.or_else(by_mount).map(str::to_owned)
}

fn is_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Only in a pod: elsewhere such variables mean something else.
fn kubernetes(get: impl Fn(&str) -> Option<String>, found: &mut Vec<KeyValue>) {
    if get("KUBERNETES_SERVICE_HOST").is_none() {
        return;
    }
    for (attribute, variables) in KUBERNETES {
        let value = variables.iter().find_map(|name| get(name));
        found.extend(
            value
                .filter(|value| !value.is_empty())
                .map(|value| KeyValue::new(attribute, value)),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn the_containers_id_is_found_wherever_runtimes_leave_it() {
        for (cgroup, mountinfo, found) in [
            (format!("9:memory:/docker/{ID}\n"), String::new(), true),
            (
                format!("1:name=systemd:/kubepods.slice/pod1.slice/cri-containerd-{ID}.scope"),
                String::new(),
                true,
            ),
            (
                format!("1:x:/kubepods/burstable/pod1/{ID}"),
                String::new(),
                true,
            ),
            (
                format!("0::/system.slice/docker-{ID}.scope"),
                String::new(),
                true,
            ),
            (
                "0::/".to_owned(),
                format!("1 2 3:4 /var/lib/docker/containers/{ID}/hostname /etc/hostname rw"),
                true,
            ),
            (
                "0::/user.slice/session-1.scope".to_owned(),
                String::new(),
                false,
            ),
            (
                String::new(),
                format!("1 2 3:4 /elsewhere/{ID} / rw"),
                false,
            ),
        ] {
            let id = container_id(&cgroup, &mountinfo);
            assert_eq!(id.as_deref(), found.then_some(ID), "{cgroup} {mountinfo}");
        }
    }

    #[test]
    fn kubernetes_is_described_in_a_pod_and_nowhere_else() {
        let pod = |name: &str| match name {
            "KUBERNETES_SERVICE_HOST" => Some("10.0.0.1".to_owned()),
            "POD_NAME" => Some("orders-1".to_owned()),
            "K8S_NODE_NAME" => Some("node-a".to_owned()),
            "POD_UID" => Some(String::new()),
            _ => None,
        };
        let mut found = Vec::new();
        kubernetes(pod, &mut found);
        let expected = [("k8s.pod.name", "orders-1"), ("k8s.node.name", "node-a")];
        assert_eq!(
            found,
            expected.map(|(key, value)| KeyValue::new(key, value))
        );

        let mut elsewhere = Vec::new();
        kubernetes(
            |name| (name == "POD_NAME").then(|| "x".to_owned()),
            &mut elsewhere,
        );
        assert_eq!(elsewhere, []);
    }

    #[test]
    fn a_process_is_always_told_from_another() {
        let found = all();
        let get = |key: &str| {
            let found = found.iter().find(|attribute| attribute.key.as_str() == key);
            found.map(|attribute| attribute.value.to_string())
        };
        assert_eq!(get("process.pid"), Some(std::process::id().to_string()));
        assert_eq!(get("service.instance.id").map(|id| id.len()), Some(36));
        assert!(get("host.arch").is_some() && get("os.type").is_some());
        assert_ne!(instance_id(), instance_id());
    }
}
