//! The doors besides XML-RPC: JSON, events as they happen, metrics.

mod api;
mod bad_requests;
mod client;
mod metrics;
mod openapi;
mod stream;
