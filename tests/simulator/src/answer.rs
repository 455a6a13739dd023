//! Answers: bodies, and errors in Truto's envelope.

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

use crate::shape::Permission;

/// An answer: status, headers, body.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) content_type: String,
    pub(crate) body: Bytes,
}

impl Answer {
    /// 200 with a JSON body that is already serialized.
    pub(crate) fn bytes(body: Vec<u8>) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            content_type: "application/json; charset=utf-8".to_owned(),
            body: body.into(),
        }
    }

    /// 200 with a JSON body.
    pub(crate) fn json(body: &Value) -> Self {
        Self::bytes(body.to_string().into_bytes())
    }

    /// An error of Truto.
    pub(crate) fn truto_error(status: u16, message: &str) -> Self {
        Self::json(&envelope(status, message)).with_status(status)
    }

    /// 400: a query parameter is missing.
    pub(crate) fn missing_parameter(name: &str) -> Self {
        let mut body = envelope(400, &format!("{name} is required"));
        body["truto_error_insight"] = json!({"missing_required_query_parameters": {
            "description": "The request lacks query parameters that this method requires.",
            "value": [name],
        }});
        Self::json(&body).with_status(400)
    }

    /// An error of Asana, with the remote flag.
    pub(crate) fn remote_error(status: u16, message: &str) -> Self {
        Self::json(&remote(status, message)).with_status(status)
    }

    /// 403 from Asana, with the missing scopes.
    pub(crate) fn forbidden(missing_scopes: &[String]) -> Self {
        let mut body = remote(403, "You do not have access to this resource.");
        body["truto_error_insight"]["forbidden_error"] = json!({
            "description": "The connection lacks scopes that this method needs.",
            "value": {"missing_scopes": missing_scopes},
        });
        Self::json(&body).with_status(403)
    }

    /// The answer if a permission is not granted.
    pub(crate) fn refusal(permission: &Permission) -> Option<Self> {
        match permission {
            Permission::Granted => None,
            Permission::Forbidden(scopes) => Some(Self::forbidden(scopes)),
            Permission::FullPermissionsOnly => {
                let mut body = remote(403, "Full permissions are required to use this endpoint");
                body["truto_error_insight"]["forbidden_error"] = json!({
                    "description": "The provider refused the request.",
                    "value": {"missing_scopes": []},
                });
                Some(Self::json(&body).with_status(403))
            }
            Permission::Unauthorized => Some(Self::remote_error(401, "Not Authorized")),
            Permission::NotFound => Some(Self::remote_error(404, "Not Found")),
        }
    }

    /// 429 from Truto.
    pub(crate) fn too_many_requests(retry_after: u32) -> Self {
        Self::truto_error(429, "Rate limit exceeded for the integrated account")
            .with_header("retry-after", &retry_after.to_string())
    }

    /// 429 from Asana, through Truto.
    pub(crate) fn remote_too_many_requests(retry_after: u32) -> Self {
        let mut body = remote(
            429,
            "You've made too many requests and hit a rate limit. \
             Please retry after the given amount of time.",
        );
        body["truto_error_insight"]["rate_limit_error"] =
            json!({"description": "The provider limits the rate of requests."});
        Self::json(&body)
            .with_status(429)
            .with_header("retry-after", &retry_after.to_string())
    }

    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The HTTP response. `date` is its `Date` header; without it, the server adds its own.
    ///
    /// Omits a header that is invalid in HTTP, and answers 500 for an invalid status.
    pub(crate) fn into_response(self, date: Option<&str>) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        let of_ours = [("content-type".to_owned(), self.content_type)];
        let date = date.map(|date| ("date".to_owned(), date.to_owned()));
        for (name, value) in of_ours.into_iter().chain(date).chain(self.headers) {
            let name = HeaderName::from_bytes(name.as_bytes());
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(&value)) {
                if name == header::DATE || name == header::CONTENT_TYPE {
                    headers.insert(name, value);
                } else {
                    headers.append(name, value);
                }
            }
        }
        response
    }
}

/// The three keys of every error.
fn envelope(status: u16, message: &str) -> Value {
    let reason = StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or("Error");
    json!({"statusCode": status, "error": reason, "message": message})
}

/// An error of Asana. Truto's own message is empty; the cause is in `raw_response`.
fn remote(status: u16, message: &str) -> Value {
    let mut body = envelope(status, "");
    let mut error = json!({
        "message": message,
        "help": "For more information on API status codes and how to handle them, read the docs \
                 on errors: https://developers.asana.com/docs/errors",
    });
    if status == 500 {
        error["phrase"] = json!("6 sad squid snuggle softly");
    }
    body["truto_is_remote_error"] = json!(true);
    body["raw_response"] = json!({"errors": [error]});
    body["truto_error_insight"] = json!({"remote_error": {
        "description": format!("Asana answered {status}: {message}"),
    }});
    body
}
