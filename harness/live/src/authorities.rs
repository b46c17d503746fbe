//! Whose certificates are trusted: those of the system, or those of a file that a user names.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::plain_file;

/// The largest file of certificates that is read, in bytes.
const MAX_FILE_BYTES: u64 = 4 << 20;

/// The authorities of a file. No others are trusted beside them.
#[derive(Debug, Clone)]
pub struct Authorities {
    file: PathBuf,
    config: Arc<ClientConfig>,
}

impl Authorities {
    /// # Errors
    /// What is wrong with the file.
    pub fn of_file(file: &Path) -> Result<Authorities, String> {
        let shown = file.display();
        let text = plain_file::read(file, MAX_FILE_BYTES).map_err(|error| format!("{shown}: {error}"))?;
        let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
        let read = read.map_err(|error| format!("{shown} is no PEM file: {error}"))?;
        let mut roots = RootCertStore::empty();
        match roots.add_parsable_certificates(read) {
            (1.., 0) => Ok(Authorities { file: file.to_owned(), config: client_config(roots)? }),
            (_, 0) => Err(format!("{shown} has no certificate")),
            (_, unread) => Err(format!("{shown} has {unread} certificates that can't be read")),
        }
    }

    /// The file that they are of.
    pub fn file(&self) -> &Path {
        &self.file
    }

    pub(crate) fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.config)
    }
}

impl PartialEq for Authorities {
    fn eq(&self, other: &Authorities) -> bool {
        self.file == other.file
    }
}

impl Eq for Authorities {}

/// How a client speaks TLS that trusts these authorities.
pub(crate) fn client_config(roots: RootCertStore) -> Result<Arc<ClientConfig>, String> {
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    // WebSockets are negotiated over HTTP/1.1 here; a lane that offers HTTP/2 must not choose it.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
