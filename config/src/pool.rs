//! What an `[eventlistener:x]` adds to a program: its pool.

use std::collections::HashMap;
use std::path::PathBuf;

use protocol::events::EventType;

use crate::error::Reason;
use crate::model::{BufferFile, PoolConfig};
use crate::source::View;
use crate::table::*;

/// Reads pools, and knows which files are theirs.
#[derive(Debug, Default)]
pub(crate) struct PoolReader {
    /// The section each buffer file belongs to.
    files: HashMap<PathBuf, String>,
}

impl PoolReader {
    /// The pool of a section.
    pub(crate) fn read(&mut self, view: &View<'_>) -> PoolConfig {
        let buffer_size = view.get(&BUFFER_SIZE);
        if let Some(size) = buffer_size.filter(|&size| size < 1) {
            let section = view.section.name.to_string();
            view.tell(&BUFFER_SIZE, Reason::BufferSize { section, size });
        }
        let result_handler = result_handler(view);
        let events = events(view);
        if view.get_in(&REDIRECT_STDERR, Scope::Here) == Some(true) {
            let section = view.section.name.to_string();
            view.tell(&REDIRECT_STDERR, Reason::ListenerRedirect(section));
        }
        PoolConfig {
            events,
            buffer_size: buffer_size.map(|size| usize::try_from(size).unwrap_or(usize::MAX)),
            result_handler,
            event_len: view.get(&EVENT_LENGTH).unwrap_or_default(),
            buffer_file: self.buffer_file(view),
        }
    }

    fn buffer_file(&mut self, view: &View<'_>) -> Option<BufferFile> {
        // Read in any case, so that a mistake in them is told of.
        let maxbytes = view.get(&BUFFER_FILE_MAXBYTES)?;
        let sync = view.get(&BUFFER_FILE_SYNC)?;
        if !BUFFER_FILE_MAXBYTES.about.admits(maxbytes) {
            let section = view.section.name.to_string();
            let reason = Reason::BufferFileMaxbytes { section, maxbytes };
            view.tell(&BUFFER_FILE_MAXBYTES, reason);
        }
        let path = view.get(&BUFFER_FILE)?;
        let section = view.section.name.to_string();
        if let Some(owner) = self.files.get(&path) {
            let reason = Reason::BufferFileTaken {
                section,
                path: path.display().to_string(),
                owner: owner.clone(),
            };
            view.tell(&BUFFER_FILE, reason);
        } else {
            self.files.insert(path.clone(), section);
        }
        Some(BufferFile {
            path,
            maxbytes: u64::try_from(maxbytes).unwrap_or(0),
            sync,
        })
    }
}

fn result_handler(view: &View<'_>) -> String {
    let result_handler = view.get(&RESULT_HANDLER).unwrap_or_default();
    if !RESULT_HANDLERS.contains(&result_handler.as_str()) {
        let reason = Reason::Unresolved {
            spec: result_handler.clone(),
            section: view.section.name.to_string(),
            why: "Python code cannot be loaded here; the result handlers there are: \
                  supervisor.dispatchers:default_handler, supervisor_stdout:event_handler",
        };
        view.tell(&RESULT_HANDLER, reason);
    }
    result_handler
}

/// The events, sorted, so that their order in the file is no change.
fn events(view: &View<'_>) -> Vec<String> {
    let Some(listed) = view.value(&EVENTS) else {
        return Vec::new();
    };
    if listed.is_empty() {
        view.tell_missing(&EVENTS);
    }
    let mut events: Vec<String> = listed.iter().map(|event| event.to_uppercase()).collect();
    for event in &events {
        if EventType::from_name(event).is_none() {
            let reason = Reason::UnknownEvent {
                event: event.clone(),
                section: view.section.name.to_string(),
            };
            view.tell(&EVENTS, reason);
        }
    }
    events.sort_unstable();
    events.dedup();
    events
}
