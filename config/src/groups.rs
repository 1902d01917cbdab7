//! Groups: `[group:x]`, and the groups that `[program:x]`, `[eventlistener:x]` and
//! `[fcgi-program:x]` make of themselves.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use protocol::events::EventType;

use crate::convert::name;
use crate::document::Section;
use crate::error::{ConfigError, Reason};
use crate::fcgi::{self, SocketCache};
use crate::model::{Environment, GroupConfig, GroupKind, Notice, PoolConfig, ProcessConfig};
use crate::notice::{at, warning};
use crate::program::{self, Role};
use crate::source::{Source, View};
use crate::table::*;

/// Reads all groups, ordered by priority and name. Of two with one name only the first is kept.
pub(crate) fn read(
    source: &Source<'_>,
    environment: &Environment,
    notices: &mut Vec<Notice>,
) -> Result<Vec<Arc<GroupConfig>>, ConfigError> {
    let mut reader = Reader {
        source,
        environment,
        notices,
        grouped: HashSet::new(),
        sockets: SocketCache::default(),
        groups: Vec::new(),
    };
    reader.explicit_groups()?;
    reader.programs()?;
    reader.listeners()?;
    reader.fcgi_programs()?;
    Ok(reader.finish())
}

struct Reader<'a> {
    source: &'a Source<'a>,
    environment: &'a Environment,
    notices: &'a mut Vec<Notice>,
    /// Sections that a `[group:x]` lists, which have no group of their own.
    grouped: HashSet<&'a str>,
    sockets: SocketCache,
    groups: Vec<(GroupConfig, &'a Section)>,
}

impl<'a> Reader<'a> {
    /// The sections of a kind, each with the part of its name after the colon.
    fn sections(
        &self,
        kind: SectionKind,
    ) -> impl Iterator<Item = (&'a Section, &'a str)> + use<'a> {
        let sections = self.source.document.sections().iter();
        sections
            .filter_map(move |section| Some((section, section.name.strip_prefix(kind.written())?)))
    }

    fn explicit_groups(&mut self) -> Result<(), ConfigError> {
        for (section, written) in self.sections(SectionKind::Group) {
            let view = self.source.view(section);
            let group = name(written).map_err(|invalid| view.section_error(invalid.into()))?;
            let programs = view.value(&GROUP_PROGRAMS)?;
            let priority = view.value(&GROUP_PRIORITY)?;
            let mut processes = Vec::new();
            for program in programs {
                let (member, role) = self.member(&view, program)?;
                self.grouped.insert(&member.name);
                processes.extend(self.processes(member, group, role)?);
            }
            self.push(section, group, priority, GroupKind::Programs, processes);
        }
        Ok(())
    }

    /// The section a `[group:x]` means, and what its processes are.
    fn member(
        &mut self,
        group: &View<'_>,
        program: String,
    ) -> Result<(&'a Section, Role), ConfigError> {
        let document = self.source.document;
        let plain = document.section(&format!("program:{program}"));
        let fcgi = document.section(&format!("fcgi-program:{program}"));
        let section = group.section.name.to_string();
        match (plain, fcgi) {
            (Some(section), None) => Ok((section, Role::Plain)),
            (None, Some(section)) => {
                let socket = self.sockets.optional(&self.source.view(section))?;
                Ok((section, socket.map_or(Role::Plain, Role::Fcgi)))
            }
            (None, None) => {
                let reason = Reason::UnknownProgram { section, program };
                Err(group.option_error(&GROUP_PROGRAMS, reason))
            }
            (Some(_), Some(_)) => {
                let reason = Reason::AmbiguousProgram { section, program };
                Err(group.option_error(&GROUP_PROGRAMS, reason))
            }
        }
    }

    fn programs(&mut self) -> Result<(), ConfigError> {
        for (section, written) in self.sections(SectionKind::Program) {
            if self.grouped.contains(&*section.name) {
                continue;
            }
            let view = self.source.view(section);
            let group = name(written).map_err(|invalid| view.section_error(invalid.into()))?;
            let priority = view.get_in(&PRIORITY, Scope::Here)?.unwrap_or(999);
            let processes = self.processes(section, group, Role::Plain)?;
            self.push(section, group, priority, GroupKind::Programs, processes);
        }
        Ok(())
    }

    fn listeners(&mut self) -> Result<(), ConfigError> {
        for (section, written) in self.sections(SectionKind::EventListener) {
            let view = self.source.view(section);
            let priority = view.get_in(&PRIORITY, Scope::Here)?.unwrap_or(-1);
            let pool = pool(&view)?;
            let processes = self.processes(section, written.trim(), Role::Listener)?;
            self.push(
                section,
                written.trim(),
                priority,
                GroupKind::Listeners(pool),
                processes,
            );
        }
        Ok(())
    }

    fn fcgi_programs(&mut self) -> Result<(), ConfigError> {
        for (section, written) in self.sections(SectionKind::FcgiProgram) {
            if self.grouped.contains(&*section.name) {
                continue;
            }
            let view = self.source.view(section);
            let group = name(written).map_err(|invalid| view.section_error(invalid.into()))?;
            let priority = view.get_in(&PRIORITY, Scope::Here)?.unwrap_or(999);
            let socket = fcgi::socket(&view)?;
            let processes = self.processes(section, group, Role::Fcgi(Arc::new(socket)))?;
            self.push(section, group, priority, GroupKind::Programs, processes);
        }
        Ok(())
    }

    /// The processes of a section, by name.
    fn processes(
        &mut self,
        section: &Section,
        group: &str,
        role: Role,
    ) -> Result<Vec<ProcessConfig>, ConfigError> {
        let view = View {
            group,
            ..self.source.view(section)
        };
        let mut processes = program::processes(view, role, self.environment, self.notices)
            .map_err(|error| error.of_process(section))?;
        processes.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(processes)
    }

    fn push(
        &mut self,
        section: &'a Section,
        name: &str,
        priority: i64,
        kind: GroupKind,
        processes: Vec<ProcessConfig>,
    ) {
        let processes = self.without_twins(name, processes);
        let group = GroupConfig {
            name: name.to_owned(),
            priority,
            kind,
            processes,
        };
        self.groups.push((group, section));
    }

    /// Of processes with one name only the last is kept, in the place of the first.
    fn without_twins(
        &mut self,
        group: &str,
        processes: Vec<ProcessConfig>,
    ) -> Vec<Arc<ProcessConfig>> {
        let mut kept: Vec<Arc<ProcessConfig>> = Vec::with_capacity(processes.len());
        let mut index: HashMap<String, usize> = HashMap::with_capacity(processes.len());
        for process in processes {
            let Some(&twin) = index.get(&process.name) else {
                index.insert(process.name.clone(), kept.len());
                kept.push(Arc::new(process));
                continue;
            };
            self.notices.push(warning(format!(
                "Group {group} has several processes named {}: the one of [{}] counts",
                process.name, process.section,
            )));
            kept[twin] = Arc::new(process);
        }
        kept
    }

    fn finish(self) -> Vec<Arc<GroupConfig>> {
        let mut groups = self.groups;
        groups.sort_by(|(a, _), (b, _)| (a.priority, &a.name).cmp(&(b.priority, &b.name)));
        let mut kept = Vec::with_capacity(groups.len());
        let mut seen: HashMap<String, &Section> = HashMap::with_capacity(groups.len());
        for (group, section) in groups {
            if let Some(first) = seen.get(&group.name) {
                self.notices.push(warning(format!(
                    "{}: [{}] is ignored, the group name {} is taken by [{}]",
                    at(&section.place),
                    section.name,
                    group.name,
                    first.name,
                )));
                continue;
            }
            seen.insert(group.name.clone(), section);
            kept.push(Arc::new(group));
        }
        kept
    }
}

/// What an `[eventlistener:x]` adds.
fn pool(view: &View<'_>) -> Result<PoolConfig, ConfigError> {
    let section = || view.section.name.to_string();
    let buffer_size = view.get(&BUFFER_SIZE)?;
    if let Some(size) = buffer_size.filter(|&size| size < 1) {
        let reason = Reason::BufferSize {
            section: section(),
            size,
        };
        return Err(view.option_error(&BUFFER_SIZE, reason));
    }
    let result_handler = view.value(&RESULT_HANDLER)?;
    if result_handler != DEFAULT_RESULT_HANDLER {
        let reason = Reason::Unresolved {
            spec: result_handler,
            section: section(),
            why: "the only result handler is supervisor.dispatchers:default_handler",
        };
        return Err(view.option_error(&RESULT_HANDLER, reason));
    }
    let events = events(view)?;
    if view.get_in(&REDIRECT_STDERR, Scope::Here)? == Some(true) {
        return Err(view.option_error(&REDIRECT_STDERR, Reason::ListenerRedirect(section())));
    }
    Ok(PoolConfig {
        events,
        buffer_size: buffer_size.map(|size| usize::try_from(size).unwrap_or(usize::MAX)),
        result_handler,
    })
}

/// The events, sorted, so that their order in the file is no change.
fn events(view: &View<'_>) -> Result<Vec<String>, ConfigError> {
    let listed = view.value(&EVENTS)?;
    if listed.is_empty() {
        return Err(view.missing(&EVENTS));
    }
    let mut events: Vec<String> = listed.iter().map(|event| event.to_uppercase()).collect();
    if let Some(event) = events
        .iter()
        .find(|event| EventType::from_name(event).is_none())
    {
        let reason = Reason::UnknownEvent {
            event: event.clone(),
            section: view.section.name.to_string(),
        };
        return Err(view.option_error(&EVENTS, reason));
    }
    events.sort_unstable();
    events.dedup();
    Ok(events)
}
