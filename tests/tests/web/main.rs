//! What people and programs meet over HTTP besides XML-RPC: JSON, events as they happen, metrics; roles, TLS, forged
//! requests; and the status page in a real browser.

mod api;
mod bad_requests;
mod browser;
mod client;
mod crosssite;
mod metrics;
mod openapi;
mod roles;
mod stream;
mod strict;
mod support;
mod tls;
