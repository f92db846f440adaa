//! One line of the access log, with the column names of Azure's `ApiManagementGatewayLogs`.
//!
//! Source: <https://learn.microsoft.com/azure/azure-monitor/reference/tables/apimanagementgatewaylogs>

use std::time::{Duration, SystemTime};

use serde::{Serialize, Serializer};

/// What is known of a finished request. Columns without a value are left out.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AccessRecord<'a> {
    /// When the request arrived.
    #[serde(serialize_with = "timestamp")]
    pub time_generated: SystemTime,
    /// The request's id, a GUID.
    pub correlation_id: &'a str,
    /// Constant.
    pub operation_name: &'static str,
    /// Constant.
    pub category: &'static str,
    /// Whether the answer's status is 2xx or 3xx.
    pub is_request_success: bool,
    /// From arrival to the last byte of the answer.
    #[serde(serialize_with = "milliseconds")]
    pub total_time: Duration,
    /// Spent on the backend.
    #[serde(serialize_with = "milliseconds")]
    pub backend_time: Duration,
    /// The immediate client, which may be a proxy.
    pub caller_ip_address: &'a str,
    /// Method as received.
    pub method: &'a str,
    /// URL as received, without keys.
    pub url: &'a str,
    /// For instance `HTTP/1.1`.
    pub client_protocol: &'static str,
    /// For instance `TLSv1.3`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_tls_version: Option<&'a str>,
    /// Bytes of the request's body.
    pub request_size: u64,
    /// Bytes of the answer's body.
    pub response_size: u64,
    /// Status sent to the client; 0 if it was gone.
    pub response_code: u16,
    /// Method of the last call to the backend.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backend_method: Option<&'a str>,
    /// URL of the last call to the backend, without keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backend_url: Option<&'a str>,
    /// Status that the backend answered with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backend_response_code: Option<u16>,
    /// Backend entity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backend_id: Option<&'a str>,
    /// `hit`, `miss` or `none`.
    pub cache: &'static str,
    /// API entity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_id: Option<&'a str>,
    /// Revision of the API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_revision: Option<&'a str>,
    /// Operation entity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<&'a str>,
    /// Product entity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_id: Option<&'a str>,
    /// Who owns the subscription.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<&'a str>,
    /// Subscription entity, never its key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apim_subscription_id: Option<&'a str>,
    /// What `trace` policies said.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub trace_records: &'a [TraceRecord],
    /// The error that ended the request's ordinary way.
    #[serde(flatten)]
    pub last_error: Option<LastErrorRecord<'a>>,
}

/// What one `trace` policy said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TraceRecord {
    /// Who says it.
    pub source: String,
    /// `verbose`, `information` or `error`.
    pub severity: &'static str,
    /// What is said.
    pub message: String,
    /// Properties beside it.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    pub metadata: serde_json::Map<String, serde_json::Value>,
}

/// `context.LastError` of a request.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LastErrorRecord<'a> {
    /// Policy or built-in step.
    pub last_error_source: &'a str,
    /// Machine-readable reason.
    pub last_error_reason: &'a str,
    /// Text for people.
    pub last_error_message: &'a str,
    /// `global`, `api`, ...
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error_scope: Option<&'a str>,
    /// `inbound`, `backend`, ...
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error_section: Option<&'a str>,
}

impl<'a> AccessRecord<'a> {
    /// A record with the columns that every request has; the others are empty or zero.
    #[must_use]
    pub fn new(time_generated: SystemTime, correlation_id: &'a str) -> Self {
        Self {
            time_generated,
            correlation_id,
            operation_name: "Microsoft.ApiManagement/GatewayLogs",
            category: "GatewayLogs",
            is_request_success: false,
            total_time: Duration::ZERO,
            backend_time: Duration::ZERO,
            caller_ip_address: "",
            method: "",
            url: "",
            client_protocol: "HTTP/1.1",
            client_tls_version: None,
            request_size: 0,
            response_size: 0,
            response_code: 0,
            backend_method: None,
            backend_url: None,
            backend_response_code: None,
            backend_id: None,
            cache: "none",
            api_id: None,
            api_revision: None,
            operation_id: None,
            product_id: None,
            user_id: None,
            apim_subscription_id: None,
            trace_records: &[],
            last_error: None,
        }
    }
}

fn milliseconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

fn timestamp<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&Timestamp(*time))
}

/// Prints as `2026-11-23T08:17:49.123Z`. Times before 1970 print as its first moment.
#[derive(Clone, Copy, Debug)]
pub struct Timestamp(pub SystemTime);

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let since = self.0.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let seconds = since.as_secs();
        let (days, of_day) = (seconds / 86_400, seconds % 86_400);
        let (year, month, day) = date(days);
        let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
        let millis = since.subsec_millis();
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
    }
}

/// Year, month and day of a number of days since 1970-01-01, by counting from a 1 March: then
/// the day that leap years add is the last of its year.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::{AccessRecord, LastErrorRecord, Timestamp};

    #[test]
    fn times_are_printed_with_milliseconds() {
        for (millis, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_709_251_200_001, "2024-03-01T00:00:00.001Z"),
            (4_107_542_399_000, "2100-02-28T23:59:59.000Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ] {
            let time = SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
            assert_eq!(Timestamp(time).to_string(), expected);
        }
    }

    #[test]
    fn a_record_has_azures_columns_and_only_those_with_a_value() {
        let mut record = AccessRecord::new(SystemTime::UNIX_EPOCH, "id");
        record.api_id = Some("orders");
        record.total_time = Duration::from_micros(2500);
        record.last_error = Some(LastErrorRecord {
            last_error_source: "validate-jwt",
            last_error_reason: "TokenExpired",
            last_error_message: "late",
            last_error_scope: Some("api"),
            last_error_section: None,
        });
        let json = serde_json::to_value(&record).unwrap();
        assert_eq!(json["TimeGenerated"], "1970-01-01T00:00:00.000Z");
        assert_eq!(json["TotalTime"], 2);
        assert_eq!(json["ApiId"], "orders");
        assert_eq!(json["LastErrorReason"], "TokenExpired");
        assert_eq!(json["LastErrorScope"], "api");
        assert!(json.get("ProductId").is_none());
    }
}
