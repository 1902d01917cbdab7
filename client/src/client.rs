//! Calls and log streams.

use std::cell::OnceCell;
use std::io;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use hyper::{Method, Request, Response, StatusCode};
use protocol::xmlrpc::{self, Value};

use crate::error::io_source;
use crate::tls::Trust;
use crate::transport::{self, Sender};
use crate::{CallError, ProcessInfo, ServerUrl};

const AGENT: &str = concat!("callboard/", env!("CARGO_PKG_VERSION"));

/// What is believed about an answer's length before it is there.
const CREDIBLE: usize = 64 * 1024 * 1024;

/// User name and password for Basic authentication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// User name; must not contain a colon to be understood.
    pub username: String,
    /// Password.
    pub password: String,
}

/// A client of one server. It connects when needed and keeps the connection.
#[derive(Debug)]
pub struct Client {
    url: ServerUrl,
    host: HeaderValue,
    authorization: Option<HeaderValue>,
    ca_file: Option<PathBuf>,
    /// Read when it is needed.
    trust: OnceCell<Trust>,
    connection: Option<Sender>,
}

impl Client {
    /// A client that has not connected yet.
    pub fn new(url: ServerUrl, credentials: Option<&Credentials>) -> Self {
        let host = match &url {
            ServerUrl::Unix(_) => "localhost",
            ServerUrl::Http { authority, .. } => authority,
        };
        Self {
            // An authority with bytes no header may hold cannot be looked up either.
            host: HeaderValue::from_str(host)
                .unwrap_or_else(|_| HeaderValue::from_static("localhost")),
            authorization: credentials.and_then(basic),
            ca_file: None,
            trust: OnceCell::new(),
            connection: None,
            url,
        }
    }

    /// The same, trusting servers that the certificates in a PEM file vouch for. Otherwise those in the file that
    /// `SSL_CERT_FILE` names are trusted, or Mozilla's.
    pub fn trusting(self, ca_file: Option<PathBuf>) -> Self {
        Self { ca_file, ..self }
    }

    /// Another client of the same server, which connects by itself.
    pub fn again(&self) -> Self {
        Self {
            url: self.url.clone(),
            host: self.host.clone(),
            authorization: self.authorization.clone(),
            ca_file: self.ca_file.clone(),
            trust: self.trust.clone(),
            connection: None,
        }
    }

    /// The server's address.
    pub const fn url(&self) -> &ServerUrl {
        &self.url
    }

    /// Calls `method` and waits for its answer, for as long as the server takes.
    ///
    /// A kept connection that the server has closed is replaced, unless the server may have seen the request.
    ///
    /// # Errors
    /// When the server cannot be reached, refuses the call, or answers something that is no XML-RPC response.
    pub async fn call(&mut self, method: &str, params: &[Value]) -> Result<Value, CallError> {
        let body = self.answer(method, params).await?;
        match xmlrpc::parse_response(&body) {
            Ok(answer) => Ok(answer?),
            Err(error) => Err(misunderstood(&body, &error)),
        }
    }

    /// Every process, by `supervisor.getAllProcessInfo`.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn processes(&mut self) -> Result<Vec<ProcessInfo>, CallError> {
        let body = self.answer("supervisor.getAllProcessInfo", &[]).await?;
        let mut processes = Vec::new();
        let read = &mut |value| processes.push(ProcessInfo::from_value(value));
        match xmlrpc::parse_array_response(&body, read) {
            Ok(answer) => answer?,
            Err(error) => return Err(misunderstood(&body, &error)),
        }
        processes.into_iter().collect()
    }

    /// The body of the answer to a call.
    async fn answer(&mut self, method: &str, params: &[Value]) -> Result<Vec<u8>, CallError> {
        let mut body = Vec::with_capacity(256);
        xmlrpc::write_call(method, params, &mut body);
        let response = self.post(Bytes::from(body)).await?;
        check(response.status())?;
        read_whole(response.into_body()).await
    }

    /// Opens a stream that the server feeds until one side leaves, for instance `/mainlogtail`. It has a connection of
    /// its own.
    ///
    /// # Errors
    /// When the server cannot be reached or answers with something else than 200.
    pub async fn stream(&self, path: &str) -> Result<ByteStream, CallError> {
        let mut sender = self.connect().await?;
        let request = self.request(Method::GET, path, Bytes::new())?;
        let response = sender.send_request(request).await;
        let response = response.map_err(CallError::from_http)?;
        check(response.status())?;
        Ok(ByteStream {
            body: response.into_body(),
            _sender: sender,
        })
    }

    async fn connect(&self) -> Result<Sender, CallError> {
        transport::connect(&self.url, || self.trust()).await
    }

    fn trust(&self) -> Result<Trust, CallError> {
        if let Some(trust) = self.trust.get() {
            return Ok(trust.clone());
        }
        let trust = Trust::load(self.ca_file.as_deref())?;
        Ok(self.trust.get_or_init(|| trust).clone())
    }

    async fn post(&mut self, body: Bytes) -> Result<Response<Incoming>, CallError> {
        if let Some(mut sender) = self.kept_connection().await {
            match self.send(&mut sender, body.clone()).await {
                Err(SendError::NotSeen) => {}
                Err(SendError::Failed(error)) => return Err(error),
                Ok(response) => {
                    self.connection = Some(sender);
                    return Ok(response);
                }
            }
        }
        let mut sender = self.connect().await?;
        match self.send(&mut sender, body).await {
            Ok(response) => {
                self.connection = Some(sender);
                Ok(response)
            }
            Err(SendError::Failed(error)) => Err(error),
            Err(SendError::NotSeen) => Err(CallError::Io(io::ErrorKind::BrokenPipe.into())),
        }
    }

    /// The connection of the previous call, if it is still open.
    async fn kept_connection(&mut self) -> Option<Sender> {
        let mut sender = self.connection.take()?;
        // Lets the runtime look at the socket: a connection the server has closed meanwhile shows here.
        tokio::task::yield_now().await;
        sender.ready().await.ok()?;
        Some(sender)
    }

    async fn send(
        &self,
        sender: &mut Sender,
        body: Bytes,
    ) -> Result<Response<Incoming>, SendError> {
        let request = self.request(Method::POST, "/RPC2", body);
        let request = request.map_err(SendError::Failed)?;
        let mut error = match sender.try_send_request(request).await {
            Ok(response) => return Ok(response),
            Err(error) => error,
        };
        if error.take_message().is_some() {
            return Err(SendError::NotSeen);
        }
        Err(match error.into_error() {
            // Nobody reads any more, so nobody has read.
            error if broken_pipe(&error) => SendError::NotSeen,
            error => SendError::Failed(CallError::from_http(error)),
        })
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Request<Full<Bytes>>, CallError> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.host.clone())
            .header(USER_AGENT, AGENT);
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, "text/xml");
        }
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        let request = request.body(Full::new(body));
        request.map_err(|error| CallError::Protocol(error.to_string()))
    }
}

/// Bytes as the server sends them.
#[derive(Debug)]
pub struct ByteStream {
    body: Incoming,
    /// Dropping it would end the connection.
    _sender: Sender,
}

impl ByteStream {
    /// The next piece; `None` when the server has finished.
    ///
    /// # Errors
    /// When the connection fails.
    pub async fn next(&mut self) -> Option<Result<Bytes, CallError>> {
        loop {
            match self.body.frame().await? {
                Err(error) => return Some(Err(CallError::from_http(error))),
                Ok(frame) => {
                    if let Ok(data) = frame.into_data() {
                        return Some(Ok(data));
                    }
                }
            }
        }
    }
}

/// Reads a body. Its pieces are let go one by one, as an answer may have megabytes.
async fn read_whole(mut body: Incoming) -> Result<Vec<u8>, CallError> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(0);
    let mut whole = Vec::with_capacity(announced.min(CREDIBLE));
    while let Some(frame) = body.frame().await {
        if let Ok(piece) = frame.map_err(CallError::from_body)?.into_data() {
            whole.extend_from_slice(&piece);
        }
    }
    Ok(whole)
}

/// What is wrong with a body that is no response. Supervisor 4.3.0 announces characters where HTTP wants bytes: an answer
/// beyond ASCII lacks its end.
fn misunderstood(body: &[u8], problem: &impl ToString) -> CallError {
    const ROOT: &[u8] = b"<methodResponse>";
    const END: &[u8] = b"</methodResponse>";
    let begins = body.windows(ROOT.len()).take(200).any(|tag| tag == ROOT);
    match begins && !body.trim_ascii_end().ends_with(END) {
        true => CallError::Incomplete,
        false => CallError::Protocol(problem.to_string()),
    }
}

enum SendError {
    /// The server cannot have seen the request: it may be sent again.
    NotSeen,
    Failed(CallError),
}

fn broken_pipe(error: &hyper::Error) -> bool {
    io_source(error).is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn check(status: StatusCode) -> Result<(), CallError> {
    match status {
        StatusCode::OK => Ok(()),
        StatusCode::UNAUTHORIZED => Err(CallError::Unauthorized),
        status => Err(CallError::Http(status.as_u16())),
    }
}

fn basic(credentials: &Credentials) -> Option<HeaderValue> {
    let pair = format!("{}:{}", credentials.username, credentials.password);
    let mut value = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(pair))).ok()?;
    value.set_sensitive(true);
    Some(value)
}
