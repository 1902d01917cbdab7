//! Groups: `[group:x]`, and the groups that `[program:x]`, `[eventlistener:x]` and
//! `[fcgi-program:x]` make of themselves.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::document::Section;
use crate::error::Reason;
use crate::fcgi::{self, SocketCache};
use crate::model::{Environment, GroupConfig, GroupKind, ProcessConfig};
use crate::pool::PoolReader;
use crate::program::{self, Role};
use crate::python::strip;
use crate::remark::Remark;
use crate::source::{Source, View};
use crate::table::*;

/// Reads all groups, ordered by priority and name. Of two with one name only the first is kept.
pub(crate) fn read(
    source: &Source<'_>,
    environment: &Environment,
    remarks: &mut Vec<Remark>,
) -> Vec<Arc<GroupConfig>> {
    let mut reader = Reader {
        source,
        environment,
        remarks,
        grouped: HashSet::new(),
        sockets: SocketCache::default(),
        groups: Vec::new(),
    };
    reader.explicit_groups();
    reader.programs();
    reader.listeners();
    reader.fcgi_programs();
    reader.finish()
}

struct Reader<'a> {
    source: &'a Source<'a>,
    environment: &'a Environment,
    remarks: &'a mut Vec<Remark>,
    /// Sections that a `[group:x]` lists, which have no group of their own.
    grouped: HashSet<&'a str>,
    sockets: SocketCache,
    groups: Vec<(GroupConfig, &'a Section)>,
}

impl<'a> Reader<'a> {
    fn sections(&self, kind: SectionKind) -> impl Iterator<Item = &'a Section> + use<'a> {
        let sections = self.source.document.sections().iter();
        sections.filter(move |section| section.name.starts_with(kind.written()))
    }

    /// The sections of a kind that are in no `[group:x]`.
    fn ungrouped(&self, kind: SectionKind) -> Vec<&'a Section> {
        let sections = self.sections(kind);
        sections
            .filter(|section| !self.grouped.contains(&*section.name))
            .collect()
    }

    fn explicit_groups(&mut self) {
        for section in self.sections(SectionKind::Group) {
            let view = self.source.view(section);
            let group = view.checked_name();
            let programs = view.get(&GROUP_PROGRAMS).unwrap_or_default();
            let priority = view.get(&GROUP_PRIORITY).unwrap_or(999);
            let mut processes = Vec::new();
            for program in programs {
                if let Some((member, role)) = self.member(&view, program) {
                    self.grouped.insert(&member.name);
                    processes.extend(self.processes(member, group, role));
                }
            }
            self.push(section, group, priority, GroupKind::Programs, processes);
        }
    }

    /// The section of a group's program, and what its processes are.
    fn member(&mut self, group: &View<'_>, program: String) -> Option<(&'a Section, Role)> {
        let document = self.source.document;
        let plain = document.section(&format!("program:{program}"));
        let fcgi = document.section(&format!("fcgi-program:{program}"));
        let section = group.section.name.to_string();
        let refused = match (plain, fcgi) {
            (Some(section), None) => return Some((section, Role::Plain)),
            (None, Some(section)) => {
                let socket = self.sockets.optional(&self.source.view(section));
                return Some((section, socket.map_or(Role::Plain, Role::Fcgi)));
            }
            (None, None) => Reason::UnknownProgram { section, program },
            (Some(plain), Some(fcgi)) => {
                // Both are spoken for: neither is to be read as a group of its own.
                self.grouped.extend([&*plain.name, &*fcgi.name]);
                Reason::AmbiguousProgram { section, program }
            }
        };
        group.tell(&GROUP_PROGRAMS, refused);
        None
    }

    fn programs(&mut self) {
        for section in self.ungrouped(SectionKind::Program) {
            let view = self.source.view(section);
            let group = view.checked_name();
            let priority = view.get_in(&PRIORITY, Scope::Here).unwrap_or(999);
            let processes = self.processes(section, group, Role::Plain);
            self.push(section, group, priority, GroupKind::Programs, processes);
        }
    }

    fn listeners(&mut self) {
        let mut pools = PoolReader::default();
        for section in self.sections(SectionKind::EventListener) {
            let view = self.source.view(section);
            let priority = view.get_in(&PRIORITY, Scope::Here).unwrap_or(-1);
            let group = strip(view.written_name());
            let pool = pools.read(&View {
                program: group,
                group,
                ..view
            });
            let processes = self.processes(section, group, Role::Listener);
            let kind = GroupKind::Listeners(pool);
            self.push(section, group, priority, kind, processes);
        }
    }

    fn fcgi_programs(&mut self) {
        for section in self.ungrouped(SectionKind::FcgiProgram) {
            let view = self.source.view(section);
            let group = view.checked_name();
            let priority = view.get_in(&PRIORITY, Scope::Here).unwrap_or(999);
            let role = match fcgi::socket(&view) {
                Some(socket) => Role::Fcgi(Arc::new(socket)),
                None => Role::Plain,
            };
            let processes = self.processes(section, group, role);
            self.push(section, group, priority, GroupKind::Programs, processes);
        }
    }

    /// The processes of a section, by name.
    fn processes(&mut self, section: &Section, group: &str, role: Role) -> Vec<ProcessConfig> {
        let view = View {
            group,
            ..self.source.view(section)
        };
        let processes = program::processes(view, role, self.environment, self.remarks);
        let mut processes = processes.unwrap_or_default();
        processes.sort_by(|a, b| a.name.cmp(&b.name));
        processes
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
            let text = format!(
                "Group {group} has several processes named {}: the one of [{}] counts",
                process.name, process.section,
            );
            let place = self.source.document.section(&process.section);
            let place = place.map(|section| &section.place);
            let remark = Remark::warning(text).of_section(&process.section);
            self.remarks.push(remark.at(place));
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
                let text = format!(
                    "[{}] is ignored, the group name {} is taken by [{}]",
                    section.name, group.name, first.name,
                );
                let remark = Remark::warning(text).of_section(&section.name);
                self.remarks.push(remark.shown_at(&section.place));
                continue;
            }
            seen.insert(group.name.clone(), section);
            kept.push(Arc::new(group));
        }
        kept
    }
}
