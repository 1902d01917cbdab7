//! One request.

use std::io::Read as _;
use std::time::Duration;

use listener_kit::{RootsError, roots};
use ureq::Agent;
use ureq::http::{Response, StatusCode, header};
use ureq::tls::TlsConfig;

use crate::notice::Notice;
use crate::options::Options;

/// How much of a refusal is shown, in bytes.
const SHOWN: u64 = 200;

/// The longest wait a server may ask for.
const LONGEST_ASKED: u64 = 600;

/// Why events were not delivered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// It may work later; the server may have said when.
    #[error("{reason}")]
    Passing {
        /// What happened.
        reason: String,
        /// How long the server wants to be left alone.
        after: Option<Duration>,
    },
    /// It will not work.
    #[error("{0}")]
    Lasting(String),
}

/// Something that delivers.
pub(crate) trait Deliver {
    /// Delivers some events, once, in one request.
    ///
    /// # Errors
    /// When it fails or is refused.
    fn deliver(&mut self, notices: &[Notice]) -> Result<(), Failure>;
}

/// A URL, and how to post there.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    agent: Agent,
    options: Options,
}

impl Endpoint {
    /// The endpoint of the options.
    ///
    /// # Errors
    /// When certificates cannot be read.
    pub(crate) fn new(options: &Options) -> Result<Self, RootsError> {
        let mut tls = TlsConfig::builder().disable_verification(options.insecure);
        if !options.insecure && options.url.scheme_str() == Some("https") {
            tls = tls.root_certs(roots()?);
        }
        let config = Agent::config_builder()
            .user_agent("callboard-webhook")
            .http_status_as_error(false)
            // A redirected POST would arrive as a GET without a body.
            .max_redirects(0)
            .tls_config(tls.build())
            .timeout_global(Some(options.timeout));
        Ok(Self {
            agent: config.build().into(),
            options: options.clone(),
        })
    }

    /// The body for some events.
    fn body(&self, notices: &[Notice]) -> Result<String, serde_json::Error> {
        match (&self.options.template, notices) {
            (Some(template), _) => Ok(template.fill(notices)),
            (None, [notice]) if self.options.batch == 1 => serde_json::to_string(notice),
            (None, notices) => serde_json::to_string(notices),
        }
    }

    fn post(&self, body: &str) -> Result<Response<ureq::Body>, ureq::Error> {
        let mut request = self
            .agent
            .post(self.options.url.clone())
            .header(header::CONTENT_TYPE, self.options.content_type.clone());
        for (name, value) in &self.options.headers {
            request = request.header(name.clone(), value.clone());
        }
        request.send(body)
    }
}

impl Deliver for Endpoint {
    fn deliver(&mut self, notices: &[Notice]) -> Result<(), Failure> {
        let body = self.body(notices);
        let body = body.map_err(|error| Failure::Lasting(error.to_string()))?;
        match self.post(&body) {
            Ok(response) => judge(response),
            Err(error) => Err(Failure::Passing {
                reason: error.to_string(),
                after: None,
            }),
        }
    }
}

/// What an answer means. Other than by its status nobody can tell whether a server will ever take the events.
fn judge(response: Response<ureq::Body>) -> Result<(), Failure> {
    let status = response.status();
    let after = response.headers().get(header::RETRY_AFTER);
    let after = after.and_then(|after| after.to_str().ok()?.parse().ok());
    let mut body = Vec::new();
    // The connection can be used again if the body was read; and a refusal may say why.
    let _ = response
        .into_body()
        .into_reader()
        .take(SHOWN)
        .read_to_end(&mut body);
    if status.is_success() {
        return Ok(());
    }
    let body = String::from_utf8_lossy(&body);
    let reason = format!(
        "status {status} {}",
        body.lines().next().unwrap_or_default()
    );
    let reason = reason.trim_end().to_owned();
    if !may_pass(status) {
        return Err(Failure::Lasting(reason));
    }
    let after = after.map(|seconds: u64| Duration::from_secs(seconds.min(LONGEST_ASKED)));
    Err(Failure::Passing { reason, after })
}

fn may_pass(status: StatusCode) -> bool {
    status.is_server_error()
        || matches!(
            status,
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notice::tests::notice;
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::TcpListener;
    use std::thread;

    /// Posts to a server that gives this answer; returns the request's text and the result.
    fn post(options: &[&str], answer: &'static str) -> (String, Result<(), Failure>) {
        let server = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/in?a=b", server.local_addr().expect("a port"));
        let thread = thread::spawn(move || {
            let (stream, _) = server.accept().expect("a client");
            let mut reader = BufReader::new(&stream);
            let mut request = String::new();
            while !request.ends_with("\r\n\r\n") {
                reader.read_line(&mut request).expect("a line");
            }
            let length = request.lines().find_map(|line| {
                line.to_lowercase()
                    .strip_prefix("content-length: ")?
                    .parse()
                    .ok()
            });
            let mut body = vec![0; length.expect("a length")];
            reader.read_exact(&mut body).expect("a body");
            (&stream).write_all(answer.as_bytes()).expect("a reader");
            request + &String::from_utf8(body).expect("text")
        });
        let mut words: Vec<_> = options.iter().map(|word| (*word).to_owned()).collect();
        words.push(url);
        let options = Options::parse(&words).expect("options");
        let mut endpoint = Endpoint::new(&options).expect("no certificates");
        let result = endpoint.deliver(&[notice("TICK_5", "when:5")]);
        (thread.join().expect("a request"), result)
    }

    #[test]
    fn the_request_is_as_ordered() {
        let ok = "HTTP/1.1 204 No Content\r\n\r\n";
        let (request, result) = post(&["-H", "X-Key: secret"], ok);
        assert!(result.is_ok());
        assert!(
            request.starts_with("POST /in?a=b HTTP/1.1\r\n"),
            "{request}"
        );
        assert!(request.contains("\r\nx-key: secret\r\n"), "{request}");
        assert!(
            request.contains("\r\ncontent-type: application/json\r\n"),
            "{request}"
        );
        assert!(
            request.contains("\r\n\r\n{\"eventname\":\"TICK_5\","),
            "{request}"
        );
        let (request, _) = post(&["-b", "2"], ok);
        assert!(
            request.contains("\r\n\r\n[{\"eventname\":\"TICK_5\","),
            "{request}"
        );
        let (request, _) = post(&["-c", "text/plain", "-t", "at {when}"], ok);
        assert!(
            request.contains("\r\ncontent-type: text/plain\r\n"),
            "{request}"
        );
        assert!(request.ends_with("\r\n\r\nat 5"), "{request}");
    }

    #[test]
    fn answers_tell_what_may_pass() {
        let rows = [
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "Ok(())"),
            (
                "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
                "Err(Passing { reason: \"status 503 Service Unavailable\", after: None })",
            ),
            (
                "HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
                "Err(Passing { reason: \"status 429 Too Many Requests\", after: Some(7s) })",
            ),
            (
                "HTTP/1.1 400 No\r\nContent-Length: 12\r\n\r\nno_text\nmore",
                "Err(Lasting(\"status 400 Bad Request no_text\"))",
            ),
            (
                "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
                "Err(Lasting(\"status 302 Found\"))",
            ),
        ];
        for (answer, want) in rows {
            assert_eq!(format!("{:?}", post(&[], answer).1), want);
        }
        assert!(matches!(post(&[], "").1, Err(Failure::Passing { .. })));
    }
}
