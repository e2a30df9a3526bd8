//! Answers in JSON, which some receivers give whatever they are asked in.

use serde::Deserialize;
use serde::de::Error as _;
use serde_json::Value;

use super::answer::partial_success;
use crate::pipeline::Delivery;

/// What a receiver says in JSON. As with protobuf, what is left out or null is a plain success, and what else it says is passed
/// over, but for an error.
pub(super) fn delivery(body: &[u8]) -> serde_json::Result<Delivery> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct ExportResponse {
        partial_success: Option<Partial>,
        #[serde(default)]
        error: Value,
        #[serde(default)]
        errors: Value,
    }

    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Partial {
        rejected_spans: Option<Count>,
        error_message: Option<String>,
    }

    /// 64-bit integers are strings, and numbers with those who know no better.
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Count {
        Number(i64),
        Text(String),
    }

    let answer: ExportResponse = serde_json::from_slice(body)?;
    if says_something(&answer.error) || says_something(&answer.errors) {
        return Err(serde_json::Error::custom("an error"));
    }
    let partial = answer.partial_success.unwrap_or_default();
    let rejected = match partial.rejected_spans {
        None => 0,
        Some(Count::Number(count)) => count,
        Some(Count::Text(count)) => count.parse().map_err(serde_json::Error::custom)?,
    };
    Ok(partial_success(
        rejected,
        partial.error_message.unwrap_or_default(),
    ))
}

/// Whether the value is an error: some receivers have the key in a success, too.
fn says_something(error: &Value) -> bool {
    match error {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(all) => !all.is_empty(),
        Value::Object(all) => !all.is_empty(),
        Value::Bool(true) | Value::Number(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_as_json_allows_them_to_be_written() {
        let partial = |count| format!(r#"{{"partialSuccess":{{"rejectedSpans":{count}}}}}"#);
        for (body, rejected) in [
            ("{}".to_owned(), Some(0)),
            (r#"{"status":"ok"}"#.to_owned(), Some(0)),
            (r#"{"error":"no tenant"}"#.to_owned(), None),
            (r#"{"errors":[{"code":7}]}"#.to_owned(), None),
            (r#"{"error":null}"#.to_owned(), Some(0)),
            (r#"{"error":"","errors":false}"#.to_owned(), Some(0)),
            (r#"{"error":{},"errors":[]}"#.to_owned(), Some(0)),
            (r#"{"errors":true}"#.to_owned(), None),
            (r#"{"partialSuccess":null}"#.to_owned(), Some(0)),
            (
                r#"{"partialSuccess":{"errorMessage":null}}"#.to_owned(),
                Some(0),
            ),
            (partial("\"3\""), Some(3)),
            (partial("3"), Some(3)),
            (partial("null"), Some(0)),
            (partial("\"three\""), None),
            ("<p>welcome".to_owned(), None),
            (String::new(), None),
        ] {
            let answer = delivery(body.as_bytes()).ok();
            assert_eq!(answer.map(|it| it.rejected), rejected, "{body}");
        }
    }
}
