//! Reading the files of a configuration: the main one, then those that its `[include]` names.

use std::path::Path;
use std::sync::Arc;

use crate::document::{Document, SourceFile};
use crate::error::{ConfigError, Reason};
use crate::glob::glob;
use crate::locate::ConfigFile;
use crate::model::{Environment, LogLevel, Notice};
use crate::notice::warning;
use crate::path::{absolute, dirname, join};
use crate::reader;
use crate::source::Source;
use crate::table::INCLUDE_FILES;

/// Reads the main file.
pub(crate) fn read_main(file: &ConfigFile, document: &mut Document) -> Result<(), ConfigError> {
    if !file.path.exists() {
        return Err(ConfigError::Missing(file.spelled.clone()));
    }
    let bytes =
        std::fs::read(&file.path).map_err(|_| ConfigError::Unreadable(file.spelled.clone()))?;
    let source = SourceFile {
        spelled: file.spelled.clone(),
        here: file.directory(),
    };
    reader::read(&bytes, &Arc::new(source), document)?;
    Ok(())
}

/// Reads the main file and everything it includes; returns what there is to tell about that.
pub(crate) fn read_all(
    file: &ConfigFile,
    start_dir: &Path,
    environment: &Environment,
    document: &mut Document,
) -> Result<Vec<Notice>, ConfigError> {
    read_main(file, document)?;
    let mut notices = Vec::new();
    for pattern in patterns(document, start_dir, environment)? {
        let pattern = join(&file.directory(), &pattern);
        let found = glob(&pattern);
        if found.is_empty() {
            notices.push(warning(format!(
                "No file matches via include \"{pattern}\""
            )));
        }
        for path in found {
            notices.push(read_included(path, document)?);
        }
    }
    Ok(notices)
}

fn patterns(
    document: &Document,
    start_dir: &Path,
    environment: &Environment,
) -> Result<Vec<String>, ConfigError> {
    let Some(section) = document.section("include") else {
        return Ok(Vec::new());
    };
    let source = Source::new(document, start_dir, environment);
    let view = source.view(section);
    view.get(&INCLUDE_FILES)?
        .ok_or_else(|| view.section_error(Reason::NoFiles))
}

fn read_included(path: String, document: &mut Document) -> Result<Notice, ConfigError> {
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) => {
            return Ok(warning(format!(
                "Could not read included file \"{path}\": {error}"
            )));
        }
    };
    let here = absolute(Path::new("/"), dirname(&path))
        .to_string_lossy()
        .into_owned();
    let notice = Notice {
        level: LogLevel::Info,
        text: format!("Included extra file \"{path}\" during parsing"),
    };
    reader::read(
        &bytes,
        &Arc::new(SourceFile {
            spelled: path,
            here,
        }),
        document,
    )?;
    Ok(notice)
}
