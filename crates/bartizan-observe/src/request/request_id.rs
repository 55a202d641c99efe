use std::time::{SystemTime, UNIX_EPOCH};

use bartizan_task::RequestId;
use http::HeaderMap;

use crate::names::header::X_REQUEST_ID;
use crate::telemetry::ids;

/// The id the request came with, if it is a fit one, else a new UUIDv7 (RFC 9562, section 5.7).
pub(super) fn take_or_make(headers: &HeaderMap, now: impl FnOnce() -> SystemTime) -> RequestId {
    headers
        .get(X_REQUEST_ID)
        .and_then(|value| RequestId::try_from_bytes(value.as_bytes()).ok())
        .unwrap_or_else(|| make(now()))
}

/// The random part comes from the ids' generator: unique, not secret, and no system call.
fn make(now: SystemTime) -> RequestId {
    let millis = now
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_millis();
    let [random @ .., _, _, _, _, _, _] = ids::random_u128().to_be_bytes();
    let millis = u64::try_from(millis).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &random)
        .into_uuid()
        .into()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_made_id_is_a_version_7_uuid_of_its_time() {
        let now = UNIX_EPOCH + std::time::Duration::from_millis(1_767_225_600_123);
        let uuid = Uuid::parse_str(&make(now)).unwrap();
        assert_eq!(uuid.get_version_num(), 7);
        assert_eq!(uuid.get_timestamp().unwrap().to_unix().0, 1_767_225_600);
        assert_ne!(make(now), make(now));
    }

    #[test]
    fn a_fit_id_is_kept_and_an_unfit_one_replaced() {
        let mut headers = HeaderMap::new();
        headers.insert(X_REQUEST_ID, "order-7".parse().unwrap());
        assert_eq!(&*take_or_make(&headers, || UNIX_EPOCH), "order-7");
        for unfit in ["", "a b", &"x".repeat(129)] {
            headers.insert(X_REQUEST_ID, unfit.parse().unwrap());
            assert_eq!(take_or_make(&headers, || UNIX_EPOCH).len(), 36, "{unfit:?}");
        }
    }
}
