//! Reading the files of a configuration: the main one, then those that its `[include]` names.

use std::path::Path;
use std::sync::Arc;

use crate::document::{Document, SourceFile};
use crate::error::{ConfigError, Reason};
use crate::glob::glob;
use crate::locate::ConfigFile;
use crate::model::Environment;
use crate::path::{absolute, dirname, join};
use crate::problems::Problems;
use crate::reader;
use crate::remark::Remark;
use crate::source::Source;
use crate::table::INCLUDE_FILES;

/// Reads the main file; `None` if it cannot be opened, which is told like all that is wrong with it.
pub(crate) fn read_main(file: &ConfigFile, problems: &Problems) -> Option<Document> {
    if !file.path.exists() {
        problems.tell(ConfigError::Missing(file.spelled.clone()));
        return None;
    }
    let Ok(bytes) = std::fs::read(&file.path) else {
        problems.tell(ConfigError::Unreadable(file.spelled.clone()));
        return None;
    };
    let source = SourceFile {
        spelled: file.spelled.clone(),
        here: file.directory(),
    };
    let mut document = Document::default();
    read_text(&bytes, source, &mut document, problems);
    Some(document)
}

fn read_text(bytes: &[u8], file: SourceFile, document: &mut Document, problems: &Problems) {
    for error in reader::read(bytes, &Arc::new(file), document) {
        problems.tell(error);
    }
}

/// Reads the main file and everything it includes; remarks on the latter.
pub(crate) fn read_all(
    file: &ConfigFile,
    start_dir: &Path,
    environment: &Environment,
    problems: &Problems,
    remarks: &mut Vec<Remark>,
) -> Option<Document> {
    let mut document = read_main(file, problems)?;
    let patterns = patterns(&document, start_dir, environment, problems);
    let place = document
        .section("include")
        .map(|section| section.place.clone());
    for pattern in patterns {
        let pattern = join(&file.directory(), &pattern);
        let found = glob(&pattern);
        if found.is_empty() {
            let text = format!("No file matches via include \"{pattern}\"");
            let remark = Remark::warning(text).of_option("include", "files");
            remarks.push(remark.at(place.as_ref()));
        }
        for path in found {
            let remark = read_included(path, &mut document, problems);
            remarks.push(remark.of_option("include", "files").at(place.as_ref()));
        }
    }
    Some(document)
}

fn patterns(
    document: &Document,
    start_dir: &Path,
    environment: &Environment,
    problems: &Problems,
) -> Vec<String> {
    let Some(section) = document.section("include") else {
        return Vec::new();
    };
    let source = Source::new(document, start_dir, environment, problems);
    let view = source.view(section);
    if view.raw(INCLUDE_FILES.about.key).is_none() {
        view.tell_section(Reason::NoFiles);
    }
    view.get(&INCLUDE_FILES).unwrap_or_default()
}

fn read_included(path: String, document: &mut Document, problems: &Problems) -> Remark {
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) => {
            return Remark::warning(format!("Could not read included file \"{path}\": {error}"));
        }
    };
    let here = absolute(Path::new("/"), dirname(&path))
        .to_string_lossy()
        .into_owned();
    let remark = Remark::info(format!("Included extra file \"{path}\" during parsing"));
    let file = SourceFile {
        spelled: path,
        here,
    };
    read_text(&bytes, file, document, problems);
    remark
}
