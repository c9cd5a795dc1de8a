//! The exporter of log records.

use crate::convert;
use crate::outlet::Outlet;
use bytes::Bytes;
use jkool_otlp::proto::common::{AnyValue, ArrayValue, KeyValue, KeyValueList, Resource, any_value};
use jkool_otlp::proto::logs::{ExportLogsServiceRequest, LogRecord, ResourceLogs, ScopeLogs};
use jkool_otlp::{Limits, map_logs};
use opentelemetry::InstrumentationScope;
use opentelemetry::logs::{AnyValue as SdkValue, Severity};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogBatch, LogExporter, SdkLogRecord};
use std::time::Duration;

/// An exporter that sends log records to jKool as events. Create it by [`Exporters::logs`](crate::Exporters::logs).
#[derive(Debug)]
pub struct JkoolLogExporter {
    outlet: Outlet,
    resource: Resource,
}

impl JkoolLogExporter {
    pub(crate) fn new(outlet: Outlet) -> Self {
        Self { outlet, resource: Resource::default() }
    }

    fn request(&self, batch: &LogBatch<'_>) -> ExportLogsServiceRequest {
        let mut scope_logs: Vec<ScopeLogs> = Vec::new();
        let mut last: Option<(&InstrumentationScope, Option<&str>)> = None;
        for (record, scope) in batch.iter() {
            let of_record = (scope, record.target().map(|target| &**target));
            if last != Some(of_record) {
                scope_logs.push(ScopeLogs { scope: convert::scope(scope, of_record.1), log_records: Vec::new() });
                last = Some(of_record);
            }
            if let Some(logs) = scope_logs.last_mut() {
                logs.log_records.push(log_record(record));
            }
        }
        ExportLogsServiceRequest {
            resource_logs: vec![ResourceLogs { resource: Some(self.resource.clone()), scope_logs }],
        }
    }
}

impl LogExporter for JkoolLogExporter {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        self.outlet.emit(|| map_logs(&self.request(&batch), Limits::NONE))
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.outlet.shutdown(timeout)
    }

    fn event_enabled(&self, _level: Severity, _target: &str, _name: Option<&str>) -> bool {
        !jkool_client::is_delivery_thread()
    }

    fn set_resource(&mut self, resource: &opentelemetry_sdk::Resource) {
        self.resource = convert::resource(resource);
    }
}

fn log_record(record: &SdkLogRecord) -> LogRecord {
    let context = record.trace_context();
    LogRecord {
        time_unix_nano: record.timestamp().map(convert::nanoseconds).unwrap_or_default(),
        observed_time_unix_nano: record.observed_timestamp().map(convert::nanoseconds).unwrap_or_default(),
        // The SDK uses the protocol's numbers.
        severity_number: record.severity_number().map(|severity| severity as i32).unwrap_or_default(),
        severity_text: record.severity_text().map(|text| Bytes::from_static(text.as_bytes())).unwrap_or_default(),
        body: record.body().map(|body| any_value(body, 0)),
        attributes: record
            .attributes_iter()
            .map(|(key, value)| KeyValue { key: convert::text(key.as_str()), value: Some(any_value(value, 0)) })
            .collect(),
        dropped_attributes_count: 0,
        flags: context.and_then(|context| context.trace_flags).map(|flags| flags.to_u8().into()).unwrap_or_default(),
        trace_id: context.map(|context| Bytes::copy_from_slice(&context.trace_id.to_bytes())).unwrap_or_default(),
        span_id: context.map(|context| Bytes::copy_from_slice(&context.span_id.to_bytes())).unwrap_or_default(),
        event_name: record.event_name().map(|name| Bytes::from_static(name.as_bytes())).unwrap_or_default(),
    }
}

/// The maximum nesting of lists and maps; deeper ones are not converted.
const DEEPEST: usize = 40;

fn any_value(value: &SdkValue, depth: usize) -> AnyValue {
    let inner = |value: &SdkValue| any_value(value, depth + 1);
    let value = match value {
        SdkValue::Int(int) => any_value::Value::Int(*int),
        SdkValue::Double(double) => any_value::Value::Double(*double),
        SdkValue::String(string) => any_value::Value::String(convert::text(string.as_str())),
        SdkValue::Boolean(bool) => any_value::Value::Bool(*bool),
        SdkValue::Bytes(bytes) => any_value::Value::Bytes(Bytes::copy_from_slice(bytes)),
        SdkValue::ListAny(list) if depth < DEEPEST => {
            any_value::Value::Array(ArrayValue { values: list.iter().map(inner).collect() })
        }
        SdkValue::Map(map) if depth < DEEPEST => {
            let entry = |(key, value): (&opentelemetry::Key, _)| KeyValue {
                key: convert::text(key.as_str()),
                value: Some(inner(value)),
            };
            let mut values: Vec<KeyValue> = map.iter().map(entry).collect();
            // Their order is not defined.
            values.sort_by(|one, other| one.key.cmp(&other.key));
            any_value::Value::KeyValueList(KeyValueList { values })
        }
        SdkValue::ListAny(_) | SdkValue::Map(_) => any_value::Value::String(Bytes::from_static(b"[depth]")),
        // Variants that later versions may add.
        other => any_value::Value::String(convert::text(&format!("{other:?}"))),
    };
    AnyValue { value: Some(value) }
}
