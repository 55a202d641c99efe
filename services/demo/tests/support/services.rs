//! The services that run, and how one finds another.

use super::service::Service;

/// As they are introduced.
pub(crate) const SERVICES: [&str; 4] = ["gateway", "orders", "inventory", "payments"];

/// The called have to be started before the callers. Dropping it kills them.
#[derive(Default)]
pub(crate) struct Services(pub(crate) Vec<Service>);

// === impl Services ===

impl Services {
    /// Starts a service, in the place of one of its name that has ended, with these settings beside
    /// those that it needs, and these variables.
    pub(crate) async fn start(
        &mut self,
        name: &'static str,
        settings: Vec<(&str, String)>,
        vars: impl IntoIterator<Item = (&str, String)>,
    ) {
        let prefix = name.to_uppercase();
        let settings = self.wiring(name).into_iter().chain(settings);
        let settings = settings.map(|(key, value)| (format!("{prefix}__{key}"), value));
        let vars = vars.into_iter().map(|(key, value)| (key.to_owned(), value));
        let service = Service::start(name, settings.chain(vars)).await;
        self.0.retain(|service| service.name != name);
        self.0.push(service);
    }

    pub(crate) fn get(&self, name: &str) -> &Service {
        let mut services = self.0.iter();
        services.find(|service| service.name == name).unwrap()
    }

    fn wiring(&self, name: &str) -> Vec<(&'static str, String)> {
        let url = |name| format!("http://{}", self.get(name).address());
        let mut settings = vec![
            ("SERVER__ADMIN__BIND", "127.0.0.1:0".to_owned()),
            // Nobody balances load here.
            ("SERVER__GRACE", "0s".to_owned()),
        ];
        match name {
            "gateway" => settings.extend([
                ("ORDERS_URL", url("orders")),
                ("INVENTORY_URL", url("inventory")),
            ]),
            "orders" => settings.extend([
                ("INVENTORY_URL", url("inventory")),
                ("PAYMENTS_URL", url("payments")),
            ]),
            _ => {}
        }
        settings
    }
}
