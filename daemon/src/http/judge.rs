//! What a server can use, asked before it has to: by `--check`, at start and before a reload.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use config::model::TlsFiles;
use config::{TlsFile, TlsFlaw};

use super::password::Stored;
use super::tls;

/// The permission of everybody else to read.
const OTHERS_READ: u32 = 0o004;

/// Knows what our servers can use.
#[derive(Debug, Clone, Copy)]
pub enum Judge {
    /// The files have to be there for us, now.
    Server,
    /// Another user may check than the one who serves: what only he may not read is no error.
    Examiner,
}

impl config::Judge for Judge {
    fn password(&self, stored: &str) -> Result<(), String> {
        let parsed = Stored::parse(stored);
        parsed.map(drop).map_err(|problem| problem.to_string())
    }

    fn tls(&self, files: &TlsFiles) -> Result<Option<TlsFlaw>, TlsFlaw> {
        let both = [
            (TlsFile::Certificates, &files.certificates),
            (TlsFile::Key, &files.key),
        ];
        let hidden = both.into_iter().find(|(_, path)| is_hidden(path));
        match (self, hidden) {
            (Self::Examiner, Some((file, path))) => {
                let why = "cannot be examined, as you may not read it";
                Ok(Some(tls::flaw(file, path, why)))
            }
            _ => tls::load(files).map(|_| exposed_key(files)),
        }
    }
}

fn is_hidden(path: &Path) -> bool {
    File::open(path).is_err_and(|error| error.kind() == ErrorKind::PermissionDenied)
}

fn exposed_key(files: &TlsFiles) -> Option<TlsFlaw> {
    let mode = fs::metadata(&files.key).ok()?.permissions().mode();
    let is_exposed = mode & OTHERS_READ != 0;
    is_exposed.then(|| {
        let why = "everybody can read the private key";
        tls::flaw(TlsFile::Key, &files.key, why)
    })
}
